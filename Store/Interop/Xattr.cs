using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Extended attributes as bytes, of <c>name</c> in a directory, links not followed.</summary>
public static class Xattr
{
    private const int MaxBytes = 65536;

    /// <summary>Sets one attribute.</summary>
    public static void Set(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, string entry) =>
        InodeChange.Check(
            LibC.SetXattr(Path(directory, name), attribute, value, value.Length, 0), "set an extended attribute of", entry);

    /// <summary>Sets one attribute, where its name and value come from strangers.</summary>
    /// <exception cref="Errors.ImageStoreException">The disk or the permissions refuse it.</exception>
    public static XattrResult TrySet(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value, string entry)
    {
        if (LibC.SetXattr(Path(directory, name), attribute, value, value.Length, 0) == 0)
        {
            return XattrResult.Set;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            LibC.NotSupported => XattrResult.NotSupported,
            LibC.Invalid or LibC.OutOfRange or LibC.ListTooLong => XattrResult.Malformed,
            var error => throw KernelError.Of(error, $"set an extended attribute of '{entry}'"),
        };
    }

    /// <summary>Removes one attribute.</summary>
    public static void Remove(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, string entry) =>
        InodeChange.Check(LibC.RemoveXattr(Path(directory, name), attribute), "remove an extended attribute of", entry);

    /// <summary>Reads one attribute, or null where there is none.</summary>
    public static byte[]? Get(SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        // Asked for each directory of a layer, and mostly not there.
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
        try
        {
            var length = LibC.GetXattr(Path(directory, name), attribute, buffer, buffer.Length);
            if (length >= 0)
            {
                return buffer[..(int)length];
            }

            var error = Marshal.GetLastPInvokeError();
            return error is LibC.NoData or LibC.NotFound or LibC.NotSupported
                ? null : throw KernelError.Of(error, "read an extended attribute");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The attributes' names, each with its NUL.</summary>
    /// <exception cref="Errors.ImageStoreException">The file system does not tell them.</exception>
    public static List<byte[]> List(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
        try
        {
            var length = LibC.ListXattr(Path(directory, name), buffer, buffer.Length);
            if (length < 0 && Marshal.GetLastPInvokeError() is not (LibC.NotFound or LibC.NotSupported) and var error)
            {
                throw KernelError.Of(error, "list extended attributes");
            }

            List<byte[]> names = [];
            for (var rest = buffer.AsSpan(0, (int)Math.Max(0, length)); rest.Length > 0;)
            {
                var end = rest.IndexOf((byte)0) + 1;
                names.Add(rest[..end].ToArray());
                rest = rest[end..];
            }

            return names;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Path(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var prefix = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.DangerousGetHandle()}/"));
        return [.. prefix, .. name];
    }
}
