using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Interop;

public sealed class OpenAtTests
{
    [Fact]
    public async Task DirectoryInRoot_WhileNamesMove_IsFoundAlways()
    {
        const int Rounds = 5_000;
        var work = Directory.CreateTempSubdirectory("race-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(work, "in"));
            // Each ".." gives the kernel another occasion to be unsure.
            Directory.CreateSymbolicLink(Path.Combine(work, "l"), string.Concat(Enumerable.Repeat("in/../", 600)) + "in");
            Directory.CreateDirectory(Path.Combine(work, "a"));
            using var stop = new CancellationTokenSource();
            var mover = Task.Run(
                () =>
                {
                    while (!stop.IsCancellationRequested)
                    {
                        Directory.Move(Path.Combine(work, "a"), Path.Combine(work, "b"));
                        Directory.Move(Path.Combine(work, "b"), Path.Combine(work, "a"));
                    }
                },
                TestContext.Current.CancellationToken);
            using var root = OpenAt.HostDirectory(work);
            var missed = 0;
            for (var i = 0; i < Rounds; i++)
            {
                using var found = OpenAt.DirectoryInRoot(root, "l\0"u8);
                missed += found is null ? 1 : 0;
            }

            await stop.CancelAsync();
            await mover;
            Assert.Equal(0, missed);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
