using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Interop;

/// <summary>Users and groups by name, as the C library knows them: from its files and from whatever nsswitch.conf adds.</summary>
public static partial class Accounts
{
    private const int EntryBytes = 64; // struct passwd has 48, struct group 32
    private const int IdOffset = 16; // in both
    private const int FirstTextBytes = 4096;
    private const int MostTextBytes = 16 << 20;
    private const int NotPermitted = 1;
    private const int NoProcess = 3;
    private const int BadDescriptor = 9;

    private delegate int Lookup(string name, Span<byte> entry, Span<byte> text, nint size, out nint found);

    /// <summary>The number of a user, or null where there is none of that name.</summary>
    /// <exception cref="ImageStoreException">It cannot be found out.</exception>
    public static uint? FindUser(string name) => Find(name, UserOf, "user");

    /// <summary>The number of a group, or null where there is none of that name.</summary>
    /// <exception cref="ImageStoreException">It cannot be found out.</exception>
    public static uint? FindGroup(string name) => Find(name, GroupOf, "group");

    private static uint? Find(string name, Lookup lookup, string what)
    {
        Span<byte> entry = stackalloc byte[EntryBytes];
        for (var size = FirstTextBytes; ; size *= 4)
        {
            var error = lookup(name, entry, new byte[size], size, out var found);
            switch (error)
            {
                case 0:
                    return found == 0 ? null : BitConverter.ToUInt32(entry[IdOffset..]);

                // getpwnam(3): all of these have been seen to stand for "there is none".
                case LibC.NotFound or NoProcess or BadDescriptor or NotPermitted:
                    return null;
                case LibC.Interrupted:
                    size /= 4;
                    break;

                // A group's members are part of the text.
                case LibC.OutOfRange when size < MostTextBytes:
                    break;
                default:
                    throw KernelError.Of(error, $"find the {what} '{Printable.Of(name)}'");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UserOf(string name, Span<byte> entry, Span<byte> text, nint size, out nint found);

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GroupOf(string name, Span<byte> entry, Span<byte> text, nint size, out nint found);
}
