using System.Globalization;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>This executable as a child that commits until it is killed, and prints what was acknowledged.</summary>
internal static class CommittingChild
{
    public const string Variable = "IMAGESTORE_TEST_COMMITS_IN";
    public const int Tasks = 3;
    public const int SlotsPerTask = 8;
    public const string Padding = "padding";

    private const long CheckpointBytes = 150_000;
    private const int MaxPadding = 3000;

    /// <summary>Two rows in two tables that always say the same.</summary>
    public static (ImageRow Image, LeaseRow Lease) Rows(int value)
    {
        Dictionary<string, string> labels = new()
        {
            ["value"] = value.ToString(CultureInfo.InvariantCulture),
            [Padding] = new string('x', value * 997 % MaxPadding),
        };
        return (new ImageRow(Workload.Target($"{value}"), labels, default, default), new LeaseRow(default, labels));
    }

    public static int ValueOf(Dictionary<string, string>? labels) =>
        labels is null ? 0 : int.Parse(labels["value"], CultureInfo.InvariantCulture);

    public static async Task CommitForeverAsync(string directory)
    {
        var db = await MetadataDb.OpenAsync(
            MetadataFiles.OpenForWriting(directory), MetadataAccess.ReadWrite, CheckpointBytes, TimeSpan.Zero, default);
        using var output = Console.OpenStandardOutput();
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(async () =>
        {
            for (var number = 1; ; number++)
            {
                var slot = (task * SlotsPerTask) + (number % SlotsPerTask);
                var key = $"default/s{slot}";
                var told = await db.CommitAsync(
                    tx =>
                    {
                        var next = ValueOf(tx.Get(StoreTables.Images, key)?.Labels) + 1;
                        var (image, lease) = Rows(next);
                        tx.Put(StoreTables.Images, key, image);
                        tx.Put(StoreTables.Leases, key, lease);
                        return next;
                    },
                    default);

                // One write a line: a pipe takes it whole.
                output.Write(System.Text.Encoding.ASCII.GetBytes($"{slot} {told}\n"));
            }
        })));
    }
}
