using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Layers.Diff;

internal static class DiffFault
{
    /// <summary>A layer has no way to hold it, and to leave it out would be to lose it.</summary>
    public static ImageStoreException Unsupported(string path, string what) =>
        new(ErrorKind.Unsupported, $"'{LayerFault.Show(path)}' {what}.", "Remove or rename it in the snapshot, then try again.");

    public static ImageStoreException Limit(string path, string what) =>
        new(ErrorKind.LimitExceeded, $"'{LayerFault.Show(path)}' exceeds what a layer may have of {what}.", "Remove it from the snapshot: nobody could unpack the layer.");

    public static ImageStoreException TooLarge(string what) =>
        new(ErrorKind.LimitExceeded, $"The difference exceeds what a layer may have of {what}.", "Commit it in several steps, or remove what is not needed.");

    public static ImageStoreException Changed(string path) =>
        new(ErrorKind.FailedPrecondition, $"'{LayerFault.Show(path)}' changed while it was read.", "Stop or pause what writes to the snapshot, then try again.");
}
