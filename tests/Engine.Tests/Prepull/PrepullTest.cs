using ImageStore.Engine.Prepull;
using ImageStore.Engine.Tests.Support;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>A registry, an empty root, and sets of its images.</summary>
public abstract class PrepullTest : PullTest
{
    private protected JobFolder Jobs => new(Root, "default", TimeProvider.System);

    /// <summary>The set <c>base</c> of these tags, with more keys before them.</summary>
    private protected PrepullSet SetWith(string keys, params string[] tags) =>
        PrepullSetFile.Parse($"name: base\n{keys}\nimages:\n{string.Concat(tags.Select(tag => $" - {Reference(tag)}\n"))}", In("prepull.yaml"));

    private protected PrepullSet Set(params string[] tags) => SetWith(string.Empty, tags);

    private protected Task<JobRecord> RunAsync(PrepullSet set, PrepullHooks? hooks = null, EngineOptions? options = null, bool wait = false) =>
        new PrepullRun(options ?? Options(), set, hooks ?? new PrepullHooks()).RunAsync(wait, Ct);

    private protected static JobImageState[] States(JobRecord job) => [.. job.Images.Select(image => image.State)];

    /// <summary>Images of one small layer each, under these tags.</summary>
    private protected void Add(params string[] tags)
    {
        foreach (var tag in tags)
        {
            Registry.AddImage(tag, ImageBuilder.Tar(tag, 3_000));
        }
    }
}
