using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The failures that every snapshotter reports in the same words.</summary>
internal static class SnapshotErrors
{
    private const string PullAgain = "Pull the image again, which unpacks the layers that are absent.";

    public static ImageStoreException NotFound(string name) =>
        new(ErrorKind.NotFound, $"There is no snapshot '{Printable.Of(name)}'.");

    public static ImageStoreException AlreadyExists(string name) =>
        new(ErrorKind.AlreadyExists, $"The snapshot '{Printable.Of(name)}' exists already.");

    public static ImageStoreException ParentNotFound(string parent) =>
        new(ErrorKind.NotFound, $"The parent snapshot '{Printable.Of(parent)}' is not there.", PullAgain);

    public static ImageStoreException ChainBroken(string name) =>
        new(
            ErrorKind.FailedPrecondition,
            $"The snapshot '{Printable.Of(name)}' stands on a parent that is no longer there.",
            PullAgain);

    public static ImageStoreException WrongKind(string name, SnapshotKind kind, string needed) =>
        new(ErrorKind.FailedPrecondition, $"The snapshot '{Printable.Of(name)}' is {Word(kind)}, not {needed}.");

    public static ImageStoreException HasChildren(string name, string child) =>
        new(
            ErrorKind.FailedPrecondition,
            $"The snapshot '{Printable.Of(name)}' is the parent of '{Printable.Of(child)}'.",
            "Remove the snapshots that stand on it first.");

    private static string Word(SnapshotKind kind) => kind switch
    {
        SnapshotKind.View => "a view",
        SnapshotKind.Active => "active",
        _ => "committed",
    };
}
