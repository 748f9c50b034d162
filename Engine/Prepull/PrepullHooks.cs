using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Prepull;

/// <summary>What a run tells while it is under way.</summary>
public sealed record PrepullHooks
{
    /// <summary>Is given each image's pull to run, with the progress that it keeps.</summary>
    public Func<Func<TransferProgress, Task>, Task> Show { get; init; } = static work => work(new TransferProgress());

    /// <summary>Is told of an image that ended.</summary>
    public Action<JobImage> Tell { get; init; } = static _ => { };

    /// <summary>Is told when the next window opens, in local time, while none is open.</summary>
    public Action<DateTimeOffset> TellWait { get; init; } = static _ => { };

    /// <summary>Is told what did not keep the job from going on.</summary>
    public Action<ImageStoreException> Warn { get; init; } = static _ => { };
}
