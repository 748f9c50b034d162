using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Engine.Unpack;

/// <summary>What the kernel lets this process do, as far as images need it.</summary>
public static class Privileges
{
    private const ulong Owners = (1 << 0) | (1 << 1) | (1 << 3); // CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER
    private const ulong Administration = 1 << 21; // CAP_SYS_ADMIN

    /// <summary>May files get the owners that layers give them?</summary>
    public static bool CanUnpack => (ProcessRights.Effective & Owners) == Owners;

    /// <summary>May filesystems be mounted?</summary>
    public static bool CanMount => (ProcessRights.Effective & Administration) != 0;

    /// <exception cref="ImageStoreException">Unpacking is not permitted (<see cref="ErrorKind.PermissionDenied"/>).</exception>
    internal static void NeedUnpack(string reference)
    {
        if (!CanUnpack)
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied,
                $"Unpacking {Printable.Of(reference)} is not permitted: only root may give files the owners that its layers name.",
                "Run as root or within 'imagestore unshare', or only store the image with 'imagestore pull'.");
        }
    }

    /// <exception cref="ImageStoreException">Mounting is not permitted (<see cref="ErrorKind.PermissionDenied"/>).</exception>
    internal static void NeedMount(string directory)
    {
        if (!CanMount)
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied,
                $"Mounting on {Printable.Of(directory)} is not permitted: only root (CAP_SYS_ADMIN) may mount.",
                "Run as root, or within 'imagestore unshare'.");
        }
    }
}
