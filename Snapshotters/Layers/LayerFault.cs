using System.Globalization;
using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Layers;

internal static class LayerFault
{
    internal static ImageStoreException Corrupt(string reason, Exception? inner = null) =>
        new(ErrorKind.CorruptData, $"The layer is malformed: {reason}", "Rebuild the image or pull it again.", inner);

    internal static ImageStoreException Limit(string what, long limit, string key) => new(
        ErrorKind.LimitExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The layer exceeds the limit of {limit} for {what}."),
        $"If you trust the image, raise '{key}' under [layers] in config.toml.");

    internal static string Show(string path) =>
        Printable.Of(Ascii.IsValid(path) ? path : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(path)));
}
