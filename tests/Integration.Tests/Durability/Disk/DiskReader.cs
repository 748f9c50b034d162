using System.Globalization;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Reads a directory as a state of a disk.</summary>
internal static class DiskReader
{
    /// <summary>All below <paramref name="directory"/>; times of files are not looked at.</summary>
    public static async Task<DiskState> ReadAsync(string directory)
    {
        var found = await Run.AsyncOk(
            "find", directory, "-mindepth", "1", "-printf", @"%P\t%y\t%m\t%U:%G\t%i\t%n\t%l\0");
        var root = new Inode(InodeKind.Directory);
        var state = new DiskState(root);
        Dictionary<string, Inode> byPath = new(StringComparer.Ordinal) { [string.Empty] = root };
        Dictionary<string, Inode> byNumber = new(StringComparer.Ordinal);
        foreach (var fields in found.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('\t')))
        {
            var path = Path.Combine(directory, fields[0]);
            if (!byNumber.TryGetValue(fields[4], out var inode))
            {
                byNumber[fields[4]] = inode = new Inode(Kind(fields[1]), await DetailAsync(fields[1], fields[6], path)) { LastPath = fields[0] };
                state.Add(inode, Attributes(fields, path));
                if (inode.Kind == InodeKind.File)
                {
                    state[inode].Write(await File.ReadAllBytesAsync(path), 0);
                }
            }

            byPath[fields[0]] = inode;
            state[byPath[Path.GetDirectoryName(fields[0])!]].Entries[Path.GetFileName(fields[0])] = inode;
        }

        return state;
    }

    private static InodeKind Kind(string letter) => letter switch
    {
        "f" => InodeKind.File,
        "d" => InodeKind.Directory,
        "l" => InodeKind.Symlink,
        "c" => InodeKind.CharacterDevice,
        "b" => InodeKind.BlockDevice,
        "p" => InodeKind.Pipe,
        _ => throw new InvalidOperationException($"Nothing here makes inodes of the kind '{letter}'."),
    };

    private static async Task<string> DetailAsync(string letter, string target, string path)
    {
        if (letter is not ("c" or "b"))
        {
            return target;
        }

        var numbers = await Run.AsyncOk("stat", "--printf", "%t:%T", path);
        return string.Join(':', numbers.Split(':').Select(part => int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
    }

    private static Dictionary<string, string> Attributes(string[] fields, string path)
    {
        var result = new Dictionary<string, string> { [InodeState.Mode] = fields[2], [InodeState.Owner] = fields[3] };
        foreach (var (name, value) in Kernel.Xattrs(path))
        {
            result[InodeState.XattrPrefix + name] = Convert.ToHexStringLower(value);
        }

        return result;
    }
}
