using System.Text;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Rows through journal and leaves, beside a plain dictionary.</summary>
public sealed class LiteRowsTests(ITestOutputHelper output)
{
    private const int Commits = 600;
    private const int Keys = 900;
    private static readonly string[] s_tables = ["one", "two-more"];

    [Theory]
    [InlineData(1, 20_000, 300_000)]
    [InlineData(2, 1, 300_000)]
    [InlineData(3, 200_000, 300_000)]
    [InlineData(4, 20_000, 4_000)]
    [InlineData(5, 1, 20_000)]
    public void Load_AfterManyCommits_IsWhatADictionaryHas(int seed, long journalBytes, long checkpointBytes)
    {
        var random = new Random(seed);
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        var model = s_tables.ToDictionary(table => table, _ => new SortedDictionary<string, string>(StringComparer.Ordinal));
        var (rows, folds, reopened) = (Open(disk, journalBytes, checkpointBytes), 0, 0);
        for (var i = 0; i < Commits; i++)
        {
            // Grows, shrinks to nothing, grows again: leaves split, merge and end.
            rows.Apply(Commit(random, model, growing: i % 200 < 120));
            while (rows.IsTidyDue && random.Next(3) > 0)
            {
                rows.Tidy();
                folds++;
            }

            if (random.Next(25) == 0)
            {
                rows.Dispose();
                rows = Open(new CrashDisk(disk.Files()), journalBytes, checkpointBytes);
                AssertSame(model, rows);
                rows.Dispose();
                rows = Open(disk, journalBytes, checkpointBytes);
                reopened++;
            }

            if (i % 40 == 0)
            {
                AssertSame(model, rows);
            }
        }

        AssertSame(model, rows);
        rows.Dispose();
        output.WriteLine($"{folds} tidied, {reopened} openings, {disk.Files()[MetadataDisk.Data].Length} bytes");
        Assert.True(folds > 20 || journalBytes > 100_000);
    }

    [Fact]
    public void Fold_OfATableThatIsEmptiedAgain_LeavesNothingBehind()
    {
        var disk = new CrashDisk(new Dictionary<string, byte[]>());
        using var rows = Open(disk, 1);
        var keys = Enumerable.Range(0, 5000).Select(i => $"key{i:D5}").ToList();
        rows.Apply(Changes(keys, key => key + new string('x', 100)));
        Drain(rows);
        var full = disk.Files().Values.Sum(file => file.Length);
        for (var round = 0; round < 3; round++)
        {
            rows.Apply(Changes(keys, _ => null));
            Drain(rows);
            Assert.Empty(rows.Load("one"));
            rows.Apply(Changes(keys, key => key + new string('y', 100)));
            Drain(rows);
            Assert.Equal(keys, rows.Load("one").Select(row => row.Key));
        }

        // Pages are used again: the files do not grow with what was there once.
        Assert.True(disk.Files().Values.Sum(file => file.Length) < full * 4);
    }

    [Fact]
    public void Apply_OfARowThatIsLargerThanALeaf_IsReadBack()
    {
        using var rows = Open(new CrashDisk(new Dictionary<string, byte[]>()), 1);
        var large = new byte[1 << 20];
        new Random(5).NextBytes(large);
        MetadataChanges changes = [];
        changes.Set("one", "a", [1]);
        changes.Set("one", "b", large);
        changes.Set("one", "c", []);
        rows.Apply(changes);
        Drain(rows);
        var read = rows.Load("one");
        Assert.Equal(["a", "b", "c"], read.Select(row => row.Key));
        Assert.True(read[1].Value!.Value.Span.SequenceEqual(large));
        Assert.Equal(0, read[2].Value!.Value.Length);
    }

    private static LiteRows Open(CrashDisk disk, long journalBytes, long checkpointBytes = 300_000) =>
        new(new LiteFile(disk, canWrite: true, checkpointBytes), journalBytes);

    private static void Drain(LiteRows rows)
    {
        while (rows.IsTidyDue)
        {
            rows.Tidy();
        }
    }

    private static MetadataChanges Changes(IEnumerable<string> keys, Func<string, string?> value)
    {
        MetadataChanges changes = [];
        foreach (var key in keys)
        {
            changes.Set("one", key, value(key) is { } text ? Encoding.UTF8.GetBytes(text) : null);
        }

        return changes;
    }

    private static MetadataChanges Commit(
        Random random, Dictionary<string, SortedDictionary<string, string>> model, bool growing)
    {
        MetadataChanges changes = [];
        for (var i = random.Next(1, 60); i > 0; i--)
        {
            var table = s_tables[random.Next(s_tables.Length)];
            var key = $"ns{random.Next(3)}/{random.Next(Keys)}";
            if (random.Next(10) < (growing ? 7 : 1))
            {
                var value = new string((char)random.Next('a', 'z'), random.Next(0, 600));
                model[table][key] = value;
                changes.Set(table, key, Encoding.UTF8.GetBytes(value));
            }
            else
            {
                // Of rows that are not there as well: the journal then has a change that no leaf needs.
                model[table].Remove(key);
                changes.Set(table, key, null);
            }
        }

        return changes;
    }

    private static void AssertSame(Dictionary<string, SortedDictionary<string, string>> model, LiteRows rows)
    {
        foreach (var (table, expected) in model)
        {
            Assert.Equal(
                expected.Select(row => $"{row.Key}={row.Value}"),
                rows.Load(table).Select(row => $"{row.Key}={Encoding.UTF8.GetString(row.Value!.Value.Span)}"));
        }
    }
}
