using System.Globalization;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>Finds what a call's paths and descriptors mean on the recorded disk.</summary>
internal sealed class PathWalk(string scope, DiskState state)
{
    private const string DescriptorFolder = "/proc/self/fd/";

    private readonly Dictionary<int, OpenFile> _open = [];

    // Names below these are the kernel's own doing or another filesystem's.
    private readonly HashSet<Inode> _foreign = [];

    public OpenFile? Open(string descriptor) => _open.GetValueOrDefault(StraceArguments.Descriptor(descriptor));

    public void Set(long descriptor, OpenFile? file)
    {
        _open.Remove((int)descriptor);
        if (file is not null)
        {
            _open[(int)descriptor] = file;
        }
    }

    /// <summary>Forgets all descriptors, since their process has ended.</summary>
    public void Clear() => _open.Clear();

    public void MarkForeign(Inode directory) => _foreign.Add(directory);

    public void UnmarkForeign(Inode directory) => _foreign.Remove(directory);

    /// <summary>Where the path leads, or null when that is no place on the recorded disk.</summary>
    /// <param name="folder">The descriptor that a relative path begins at, or null for the working directory.</param>
    /// <param name="path">The path, a string as strace prints it.</param>
    public TracedPlace? Find(string? folder, string path)
    {
        var text = StraceArguments.Text(path);
        var below = scope + "/";
        if (text == scope)
        {
            return new TracedPlace(null, string.Empty, state.Root);
        }

        if (text.StartsWith(below, StringComparison.Ordinal))
        {
            return Walk(state.Root, text[below.Length..]);
        }

        if (text.StartsWith(DescriptorFolder, StringComparison.Ordinal))
        {
            var parts = text[DescriptorFolder.Length..].Split('/', 2);
            return _open.TryGetValue(int.Parse(parts[0], CultureInfo.InvariantCulture), out var at)
                ? parts.Length == 1 ? new TracedPlace(null, string.Empty, at.Inode) : Walk(at.Inode, parts[1])
                : null;
        }

        if (text.StartsWith('/') || folder is null || Open(folder) is not { } start)
        {
            return null;
        }

        return text.Length == 0 ? new TracedPlace(null, string.Empty, start.Inode) : Walk(start.Inode, text);
    }

    private TracedPlace? Walk(Inode start, string path)
    {
        var at = start;
        var parts = path.Split('/').Where(part => part is not ("" or ".")).ToList();
        if (parts.Count == 0)
        {
            return new TracedPlace(null, string.Empty, start);
        }

        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] == ".." || at.Kind != InodeKind.Directory)
            {
                throw new NotModelledException($"The path '{path}' goes through a link or upwards.");
            }

            var next = state[at].Entries.GetValueOrDefault(parts[i]);
            if (next is null && _foreign.Contains(at))
            {
                return null;
            }

            if (i == parts.Count - 1)
            {
                return new TracedPlace(at, parts[i], next);
            }

            at = next ?? throw new NotModelledException($"The record has no '{parts[i]}' of '{path}'.");
        }

        return null;
    }
}
