using CsCheck;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Beside a sorted dictionary: what a draft becomes, and that what it was made of stays as it was.</summary>
public sealed class SortedRowsTests
{
    private const int Keys = 2000;

    private enum Act
    {
        Put,
        Remove,
        RemoveRange,
        PutRange,
        Seal,
    }

    [Fact]
    public void Draft_AfterManyChanges_IsWhatADictionaryIs() =>
        Gen.Select(Gen.Enum<Act>(), Gen.Int[0, Keys - 1], Gen.Int[1, 300]).Array[1, 60].Sample(
            steps =>
            {
                SortedDictionary<string, int> model = new(StringComparer.Ordinal);
                List<(SortedRows<string> Rows, List<KeyValuePair<string, int>> Expected)> sealedRows = [];
                var (rows, draft) = (SortedRows<string>.Empty, SortedRows<string>.Empty.Edit());
                foreach (var (act, at, count) in steps)
                {
                    for (var i = at; i < (act is Act.PutRange or Act.RemoveRange ? Math.Min(Keys, at + count) : at + 1); i++)
                    {
                        var key = Key(i);
                        if (act is Act.Put or Act.PutRange)
                        {
                            Assert.Equal(model.TryGetValue(key, out var old) ? $"{old}" : null, draft.Put(key, $"{count}"));
                            model[key] = count;
                        }
                        else if (act is Act.Remove or Act.RemoveRange)
                        {
                            Assert.Equal(model.TryGetValue(key, out var old) ? $"{old}" : null, draft.Remove(key));
                            model.Remove(key);
                        }
                    }

                    if (act == Act.Seal)
                    {
                        rows = draft.Seal();
                        sealedRows.Add((rows, [.. model]));
                        draft = rows.Edit();
                    }

                    Assert.Equal(model.Count, draft.Count);
                    Assert.Equal(model.TryGetValue(Key(at), out var found) ? $"{found}" : null, draft.TryGet(Key(at), out var got) ? got : null);
                    Assert.Equal(
                        model.Where(row => In(row.Key, Key(at), Key(at + count))).Select(Text),
                        draft.Between(Key(at), Key(at + count)).Select(row => $"{row.Key}={row.Value}"));
                }

                sealedRows.Add((draft.Seal(), [.. model]));
                foreach (var (old, expected) in sealedRows)
                {
                    Assert.Equal(expected.Select(Text), old.WithPrefix("").Select(row => $"{row.Key}={row.Value}"));
                    Assert.Equal(
                        expected.Where(row => row.Key.StartsWith("k01", StringComparison.Ordinal)).Select(Text),
                        old.WithPrefix("k01").Select(row => $"{row.Key}={row.Value}"));
                    Assert.Equal(expected.Count, old.Count);
                    Assert.All(expected, row => Assert.True(old.TryGet(row.Key, out var value) && value == $"{row.Value}"));
                }
            },
            iter: 300);

    [Fact]
    public void Draft_OnceSealed_IsChangedNoMore()
    {
        var draft = SortedRows<string>.Empty.Edit();
        draft.Put("a", "1");
        draft.Seal();

        Assert.Throws<ObjectDisposedException>(() => draft.Put("b", "2"));
    }

    private static string Key(int number) => $"k{number:D5}";

    private static bool In(string key, string lower, string upper) =>
        string.CompareOrdinal(key, lower) >= 0 && string.CompareOrdinal(key, upper) < 0;

    private static string Text(KeyValuePair<string, int> row) => $"{row.Key}={row.Value}";
}
