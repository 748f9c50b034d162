using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>The attributes by which overlayfs says in a directory of its own what is removed, hidden or elsewhere.</summary>
/// <remarks>
/// Only those of the prefix that the mount obeys count: the other prefix is free for whoever is inside of the mount to write.
/// <see href="https://docs.kernel.org/filesystems/overlayfs.html"/>.
/// </remarks>
internal sealed class OverlayMarks(bool isUser)
{
    private readonly byte[] _opaque = Name(isUser, "opaque");
    private readonly byte[] _whiteout = Name(isUser, "whiteout");
    private readonly byte[] _redirect = Name(isUser, "redirect");
    private readonly byte[] _metacopy = Name(isUser, "metacopy");

    /// <summary>Does the mount keep its state in <c>user.overlay.*</c>?</summary>
    public bool IsUser => isUser;

    /// <summary>Does the directory hide what lies below it?</summary>
    public bool IsOpaque(SafeFileHandle directory) => Opaque(directory) is [(byte)'y'];

    /// <summary>May empty files in the directory be whiteouts, as they are where no device can be made?</summary>
    public bool HasWhiteoutFiles(SafeFileHandle directory) => Opaque(directory) is [(byte)'x'];

    /// <summary>Is the empty file a whiteout?</summary>
    public bool IsWhiteoutFile(SafeFileHandle directory, byte[] name) => Xattr.Get(directory, name, _whiteout) is not null;

    /// <summary>Is the content of the directory under another path below?</summary>
    public bool IsRedirected(SafeFileHandle directory, byte[] name) => Xattr.Get(directory, name, _redirect) is not null;

    /// <summary>Is the file's data in a layer below?</summary>
    public bool IsMetadataOnly(SafeFileHandle directory, byte[] name) => Xattr.Get(directory, name, _metacopy) is not null;

    private byte[]? Opaque(SafeFileHandle directory) => Xattr.Get(directory, ".\0"u8, _opaque);

    private static byte[] Name(bool isUser, string mark) => RootedPath.Name($"{(isUser ? "user" : "trusted")}.overlay.{mark}");
}
