using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Runtime.Users;

/// <summary>The lines of <c>/etc/passwd</c> or <c>/etc/group</c> within a root filesystem, which a stranger wrote.</summary>
/// <remarks>
/// Links are followed inside the root alone. What is no regular file is not opened: a fifo would keep us waiting, and a device
/// acts. The whole file and each line of it are bounded.
/// </remarks>
internal static class AccountFile
{
    /// <summary>The most bytes of a file; the same as containerd's.</summary>
    public const int MaxBytes = 10 << 20;

    /// <summary>The most bytes of a line, which for a group with all of a large site's users is a tenth of it.</summary>
    public const int MaxLineBytes = 256 << 10;

    /// <summary>The lines that say something, with the numbers that editors give them; none where the file is not there.</summary>
    /// <param name="root">The root filesystem.</param>
    /// <param name="path">The file's path in it, without a leading slash.</param>
    /// <exception cref="ImageStoreException">It is no regular file (<see cref="ErrorKind.FailedPrecondition"/>), over a limit
    /// (<see cref="ErrorKind.LimitExceeded"/>), or cannot be read.</exception>
    public static IEnumerable<(int Number, string Text)> Lines(SafeFileHandle root, string path)
    {
        using var file = Open(root, path);
        if (file is null)
        {
            yield break;
        }

        // Latin-1 keeps each byte, whatever the encoding: names are compared, and only fields in ASCII are understood.
        using var reader = new StreamReader(new FileStream(file, FileAccess.Read), Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        var (bytes, number, line) = (0, 0, new StringBuilder());
        while (true)
        {
            var next = reader.Read();
            if (next >= 0 && ++bytes > MaxBytes)
            {
                throw TooLarge(path, $"is larger than {MaxBytes} bytes");
            }

            if (next is >= 0 and not '\n')
            {
                line.Append((char)next);
                if (line.Length > MaxLineBytes)
                {
                    throw TooLarge(path, $"has a line of more than {MaxLineBytes} bytes");
                }

                continue;
            }

            number++;
            if (line.Length > 0 && line[0] != '#')
            {
                yield return (number, line.ToString());
            }

            line.Clear();
            if (next < 0)
            {
                yield break;
            }
        }
    }

    /// <summary>The text of <paramref name="name"/> as these lines have it.</summary>
    public static string AsWritten(string name) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name));

    private static SafeFileHandle? Open(SafeFileHandle root, string path)
    {
        using var inode = OpenAt.InodeInRootIfThere(root, Encoding.UTF8.GetBytes(path + '\0'), path);
        if (inode is null)
        {
            return null;
        }

        return FileMetadata.TryGet(inode, "\0"u8) is { IsRegular: true }
            ? OpenAt.Reopen(inode) ?? throw KernelError.Last($"read /{path} of the image")
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"/{path} of the image is no regular file, so its users cannot be looked up.",
                "Name the user by numbers, as UID:GID, or ask the image's publisher.");
    }

    private static ImageStoreException TooLarge(string path, string why) => new(
        ErrorKind.LimitExceeded, $"/{path} of the image {why}.", "Name the user by numbers, as UID:GID, or ask the image's publisher.");
}
