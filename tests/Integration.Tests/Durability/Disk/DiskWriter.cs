using System.Globalization;

namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Writes a state of a disk into a directory.</summary>
internal sealed class DiskWriter(DiskState state)
{
    private readonly Dictionary<Inode, string> _written = [];

    /// <summary>Fills <paramref name="directory"/>, which has to be there and be empty.</summary>
    public void WriteTo(string directory) => Fill(state.Root, directory);

    private void Fill(Inode inode, string path)
    {
        foreach (var (name, child) in state[inode].Entries)
        {
            Write(child, Path.Combine(path, name));
        }
    }

    private void Write(Inode inode, string path)
    {
        if (_written.TryGetValue(inode, out var first))
        {
            Kernel.Link(first, path);
            return;
        }

        _written[inode] = path;
        var its = state[inode];
        var mode = Convert.ToInt32(its.Attributes[InodeState.Mode], 8);
        switch (inode.Kind)
        {
            case InodeKind.Directory:
                Directory.CreateDirectory(path);
                Fill(inode, path);
                break;
            case InodeKind.File:
                using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
                {
                    RandomAccess.Write(file, its.Bytes, 0);
                }

                break;
            case InodeKind.Symlink:
                File.CreateSymbolicLink(path, inode.Detail);
                break;
            default:
                var numbers = inode.Detail.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToList();
                Kernel.MakeNode(path, inode.Kind, mode, numbers.ElementAtOrDefault(0), numbers.ElementAtOrDefault(1));
                break;
        }

        SetAttributes(inode, its, path, mode);
    }

    private static void SetAttributes(Inode inode, InodeState its, string path, int mode)
    {
        var owner = its.Attributes[InodeState.Owner];
        if (owner != Kernel.Owner)
        {
            var parts = owner.Split(':').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToList();
            Kernel.SetOwner(path, parts[0], parts[1]);
        }

        if (inode.Kind != InodeKind.Symlink)
        {
            File.SetUnixFileMode(path, (UnixFileMode)mode);
        }

        foreach (var (key, value) in its.Attributes.Where(pair => pair.Key.StartsWith(InodeState.XattrPrefix, StringComparison.Ordinal)))
        {
            Kernel.SetXattr(path, key[InodeState.XattrPrefix.Length..], Convert.FromHexString(value));
        }

        if (its.Attributes.TryGetValue(InodeState.Time, out var time))
        {
            var parts = time.Split('.').Select(part => long.Parse(part, CultureInfo.InvariantCulture)).ToList();
            Kernel.SetTime(path, parts[0], parts[1]);
        }
    }
}
