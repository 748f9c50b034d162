using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Mounts;

/// <summary>The options of a filesystem as mount(2) takes them, which are cut off silently where they are too long.</summary>
/// <param name="options">One by one.</param>
internal sealed class MountData(IEnumerable<string> options)
{
    private const int PageBytes = 4096;

    private readonly string _text = string.Join(',', options);

    /// <summary>Do they fit, with the zero at their end?</summary>
    public bool Fits => Encoding.UTF8.GetByteCount(_text) < PageBytes;

    /// <summary>All of them.</summary>
    /// <exception cref="ImageStoreException">They do not fit.</exception>
    public string Checked() => Fits
        ? _text : throw new ImageStoreException(ErrorKind.LimitExceeded, $"A mount's options have more than the {PageBytes - 1} bytes that the kernel takes.");
}
