using System.Diagnostics;
using System.Globalization;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Kills a process that commits, again and again, on one database.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 100;
    private const int MaxLines = 50;
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imagestore-kill-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Open_AfterKill_HasEveryAcknowledgedCommitWhole()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var told = new int[CommittingChild.Tasks * CommittingChild.SlotsPerTask];
        var lines = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            foreach (var line in await CommitUntilKilledAsync(random.Next(MaxLines)))
            {
                var parts = line.Split(' ');
                var (slot, value) = (Int(parts[0]), Int(parts[1]));
                told[slot] = Math.Max(told[slot], value);
                lines++;
            }

            await using var db = await MetadataDb.OpenAsync(_directory.FullName, MetadataAccess.ReadWrite, default);
            for (var slot = 0; slot < told.Length; slot++)
            {
                var image = db.Get(StoreTables.Images, $"default/s{slot}");
                var lease = db.Get(StoreTables.Leases, $"default/s{slot}");
                var value = CommittingChild.ValueOf(image?.Labels);
                Assert.True(value == CommittingChild.ValueOf(lease?.Labels), $"seed {seed}, kill {kill}: half a commit in slot {slot}.");
                Assert.True(
                    value == told[slot] || value == told[slot] + 1,
                    $"seed {seed}, kill {kill}: slot {slot} has {value}, and {told[slot]} was told.");
                Assert.Equal(image?.Labels[CommittingChild.Padding], lease?.Labels[CommittingChild.Padding]);
                told[slot] = value;
            }
        }

        Assert.True(lines > Kills);
    }

    private static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The whole lines of a child that is killed after <paramref name="lines"/> of them, or a little later.</summary>
    private async Task<List<string>> CommitUntilKilledAsync(int lines)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        start.Environment[CommittingChild.Variable] = _directory.FullName;
        using var child = Process.Start(start)!;
        try
        {
            List<string> result = [];
            while (result.Count < lines && await child.StandardOutput.ReadLineAsync().WaitAsync(s_hang) is { } line)
            {
                result.Add(line);
            }

            Assert.False(child.HasExited);
            child.Kill();
            var rest = await child.StandardOutput.ReadToEndAsync();
            result.AddRange(rest.Split('\n')[..^1]);
            await child.WaitForExitAsync();
            return result;
        }
        finally
        {
            child.Kill();
        }
    }
}
