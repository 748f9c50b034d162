using System.Security.Cryptography;
using System.Text;

namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>A tree in memory: paths in Latin-1, the root as an empty one.</summary>
internal sealed class ModelTree
{
    private readonly SortedDictionary<string, ModelFile> _files;

    public ModelTree() => _files = new SortedDictionary<string, ModelFile>(StringComparer.Ordinal)
    {
        [string.Empty] = new(0, ModelFile.Folder, 0x1ED, 0, 0, 0, 0, [], "", 0, 0, new Dictionary<string, string>()),
    };

    private ModelTree(ModelTree other) => _files = new SortedDictionary<string, ModelFile>(other._files, StringComparer.Ordinal);

    public IReadOnlyDictionary<string, ModelFile> Files => _files;

    public ModelTree Copy() => new(this);

    public ModelFile? Find(string path) => _files.GetValueOrDefault(path);

    /// <summary>Can something be made at the path?</summary>
    public bool HasParent(string path) => path.Length > 0 && Find(Parent(path)) is { IsFolder: true };

    public void Put(string path, ModelFile file)
    {
        if (Find(path) is not { IsFolder: true } || !file.IsFolder)
        {
            Remove(path);
        }

        _files[path] = file;
    }

    /// <summary>Changes a file under all of its names.</summary>
    public void Change(string path, Func<ModelFile, ModelFile> change)
    {
        var old = _files[path];
        var changed = change(old);
        foreach (var name in _files.Where(pair => pair.Value.Id == old.Id).Select(pair => pair.Key).ToList())
        {
            _files[name] = changed;
        }
    }

    public void Remove(string path)
    {
        foreach (var gone in Below(path).Append(path).ToList())
        {
            _files.Remove(gone);
        }
    }

    public void Move(string from, string to)
    {
        var moved = Below(from).Append(from).ToDictionary(path => to + path[from.Length..], path => _files[path], StringComparer.Ordinal);
        Remove(from);
        Remove(to);
        foreach (var (path, file) in moved)
        {
            _files[path] = file;
        }
    }

    public IEnumerable<string> Below(string path) =>
        _files.Keys.Where(key => key.Length > 0 && (path.Length == 0 || key.StartsWith(path + "/", StringComparison.Ordinal)));

    /// <summary>The same lines as <see cref="Diff.TreeText"/> makes of a real one.</summary>
    public string ToText()
    {
        var lines = new StringBuilder();
        Walk(lines, string.Empty, []);
        return lines.ToString();
    }

    public static string Parent(string path) => path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : string.Empty;

    private void Walk(StringBuilder lines, string path, Dictionary<int, string> names)
    {
        var file = _files[path];
        var shown = path.Length == 0 ? string.Empty : "/" + path;
        lines.Append(Escaped(shown)).Append('|').Append(Convert.ToString(file.Kind | file.Mode, 8)).Append('|').Append(file.Uid).Append(':').Append(file.Gid)
            .Append('|').Append(file.Seconds).Append('.').Append(file.Nanoseconds).Append('|');
        lines.Append(file.Kind switch
        {
            ModelFile.Folder => "",
            ModelFile.Regular => $"{file.Data.Length} {Convert.ToHexString(SHA256.HashData(file.Data))[..16]}",
            ModelFile.Symlink => Escaped(file.Target),
            _ => $"{file.Major},{file.Minor}",
        });
        if (!file.IsFolder)
        {
            lines.Append('|').Append(Escaped(names.TryGetValue(file.Id, out var first) ? first : names[file.Id] = shown));
        }

        foreach (var (name, value) in file.Xattrs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            lines.Append('|').Append(Escaped(name)).Append('=').Append(Convert.ToHexString(Encoding.Latin1.GetBytes(value)));
        }

        lines.Append('\n');
        foreach (var child in file.IsFolder ? _files.Keys.Where(key => key.Length > 0 && Parent(key) == path).OrderBy(key => key + "\0", StringComparer.Ordinal).ToList() : [])
        {
            Walk(lines, child, names);
        }
    }

    private static string Escaped(string text) => string.Concat(text.Select(c => c is > ' ' and < (char)0x7f ? c.ToString() : $"\\x{(int)c:x2}"));
}
