using System.Security.Cryptography;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>A tree as lines of text: everything that a layer can say of each path. Sockets are left out, as a layer has none.</summary>
internal static class TreeText
{
    private const uint Directory = 0x4000;
    private const uint Regular = 0x8000;
    private const uint Symlink = 0xA000;
    private const uint Socket = 0xC000;

    public static string Of(string root)
    {
        using var handle = OpenAt.HostDirectory(root);
        var lines = new StringBuilder();
        var links = new Dictionary<(uint, uint, ulong), string>();
        FileStatus.Read(root, out var status);
        Line(lines, handle, [(byte)'.', 0], string.Empty, status, links);
        Walk(lines, handle, string.Empty, links);
        return lines.ToString();
    }

    private static void Walk(StringBuilder lines, SafeFileHandle directory, string path, Dictionary<(uint, uint, ulong), string> links)
    {
        using var own = OpenAt.Directory(directory, ".\0"u8)!;
        foreach (var name in Store.Interop.DirectoryEntries.Read(own).OrderBy(Encoding.Latin1.GetString, StringComparer.Ordinal))
        {
            Assert.Equal(0, FileStatus.ReadAt((int)directory.DangerousGetHandle(), name, out var status));
            if (status.Type == Socket)
            {
                continue;
            }

            var child = path + "/" + Encoding.Latin1.GetString(name)[..^1];
            Line(lines, directory, name, child, status, links);
            if (status.Type == Directory)
            {
                using var below = OpenAt.Directory(directory, name)!;
                Walk(lines, below, child, links);
            }
        }
    }

    private static void Line(
        StringBuilder lines, SafeFileHandle parent, byte[] name, string path, FileStatus status, Dictionary<(uint, uint, ulong), string> links)
    {
        lines.Append(Escaped(path)).Append('|').Append(Convert.ToString(status.Mode, 8)).Append('|').Append(status.Uid).Append(':').Append(status.Gid)
            .Append('|').Append(status.ModifyTime.Seconds).Append('.').Append(status.ModifyTime.Nanoseconds).Append('|');
        if (status.Type == Regular)
        {
            using var file = OpenAt.Read(parent, name)!;
            using var stream = new FileStream(file, FileAccess.Read);
            lines.Append(status.Size).Append(' ').Append(Convert.ToHexString(SHA256.HashData(stream))[..16]);
        }
        else if (status.Type == Symlink)
        {
            lines.Append(Escaped(Encoding.Latin1.GetString(NameAt.ReadLink(parent, name, "link"))));
        }
        else if (status.Type != Directory)
        {
            lines.Append(status.RdevMajor).Append(',').Append(status.RdevMinor);
        }

        if (status.Type != Directory)
        {
            var key = (status.DevMajor, status.DevMinor, status.Inode);
            lines.Append('|').Append(Escaped(links.TryGetValue(key, out var first) ? first : links[key] = path));
        }

        foreach (var attribute in Xattr.List(parent, name).Where(a => !OverlayAttributes.Owns(a)).OrderBy(Encoding.Latin1.GetString, StringComparer.Ordinal))
        {
            lines.Append('|').Append(Escaped(Encoding.Latin1.GetString(attribute)[..^1])).Append('=')
                .Append(Convert.ToHexString(Xattr.Get(parent, name, attribute)!));
        }

        lines.Append('\n');
    }

    private static string Escaped(string text) =>
        string.Concat(text.Select(c => c is > ' ' and < (char)0x7f ? c.ToString() : $"\\x{(int)c:x2}"));
}
