namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>The entries that make one tree of another, in one of the many ways in which builders write them.</summary>
internal sealed class LayerScript(ModelTree before, ModelTree after, Choices choices, bool isTame)
{
    private readonly List<TarItem> _items = [];
    private readonly Dictionary<string, bool> _fresh = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _links = [];
    private readonly HashSet<string> _linkedEarly = new(StringComparer.Ordinal);

    public IReadOnlyList<TarItem> Write()
    {
        var groups = after.Files.Where(pair => !pair.Value.IsFolder).GroupBy(pair => pair.Value.Id)
            .ToDictionary(group => group.Key, group => group.Select(pair => pair.Key).ToList());
        foreach (var group in groups.Values)
        {
            LinkBelow(group);
        }

        Folder(string.Empty, groups);
        return _items;
    }

    // A name that is new, of a file that the layers below have: a hard link to the old one, which may even go afterwards.
    private void LinkBelow(List<string> names)
    {
        var file = after.Files[names[0]];
        var kept = names.Where(IsKept).ToList();
        if (kept.Count == names.Count || !choices.OneIn(2, "link", names[0]))
        {
            return;
        }

        if (kept.Count > 0)
        {
            // An overlay shows those that only lower layers have as another file, so that each comes along.
            _links[file.Id] = kept[0];
            _linkedEarly.Add(kept[0]);
            return;
        }

        var old = before.Files.Where(pair => pair.Value.IsSame(file) && after.Find(pair.Key) is null && IsShown(ModelTree.Parent(pair.Key)))
            .Select(pair => pair.Key).FirstOrDefault();
        if (old is not null && IsShown(ModelTree.Parent(names[0])) && before.Find(names[0]) is not { IsFolder: true })
        {
            _items.Add(new TarItem(names[0], file, old));
            _links[file.Id] = names[0];
            _linkedEarly.Add(names[0]);
        }
    }

    private void Folder(string path, Dictionary<int, List<string>> groups)
    {
        var (file, old) = (after.Files[path], before.Find(path));
        var isNew = old is not { IsFolder: true } || IsNewBelow(path);
        if (IsAgain(path) || (old is not null && isNew && !IsNewBelow(path) && choices.OneIn(3, "gone", path)))
        {
            _items.Add(TarItem.Whiteout(path));
        }

        var told = isNew || IsAgain(path) || !file.IsSame(old!) || isTame || choices.OneIn(4, "told", path);
        var late = told && !isTame && !IsAgain(path) && old is null or { IsFolder: true } && choices.OneIn(4, "late", path);
        if (told && !late)
        {
            _items.Add(new TarItem(path, file));
        }

        var opaque = IsOpaque(path);
        var opaqueFirst = choices.OneIn(2, "opaque first", path);
        if (opaque && opaqueFirst)
        {
            _items.Add(TarItem.Opaque(path));
        }

        var gone = IsFresh(path) ? [] : before.Files.Keys
            .Where(key => key.Length > 0 && ModelTree.Parent(key) == path && after.Find(key) is null).Select(TarItem.Whiteout).ToList();
        if (choices.OneIn(6, "noise", path) && before.Find(path) is { IsFolder: true } && path.Length < 200)
        {
            gone.Add(TarItem.Whiteout(path.Length == 0 ? "never" : path + "/never"));
        }

        var goneFirst = choices.OneIn(2, "gone first", path);
        _items.AddRange(goneFirst ? gone : []);
        foreach (var child in after.Files.Where(pair => pair.Key.Length > 0 && ModelTree.Parent(pair.Key) == path).ToList())
        {
            if (child.Value.IsFolder)
            {
                Folder(child.Key, groups);
            }
            else
            {
                File(child.Key, child.Value, groups[child.Value.Id]);
            }
        }

        _items.AddRange(goneFirst ? [] : gone);
        if (opaque && !opaqueFirst)
        {
            _items.Add(TarItem.Opaque(path));
        }

        if (late)
        {
            _items.Add(new TarItem(path, file));
        }
    }

    private void File(string path, ModelFile file, List<string> names)
    {
        if (_linkedEarly.Contains(path) || (!_links.ContainsKey(file.Id) && names.TrueForAll(IsKept)))
        {
            return;
        }

        if (!IsKept(path) && choices.OneIn(12, "twice", path))
        {
            _items.Add(new TarItem(path, Decoy(path, file)));
        }

        if (_links.TryGetValue(file.Id, out var first))
        {
            _items.Add(new TarItem(path, file, first));
        }
        else
        {
            _links[file.Id] = path;
            _items.Add(new TarItem(path, file));
        }

        if (!isTame && path.Length < 200 && choices.OneIn(12, "hidden below", path))
        {
            // It is for the layers below, wherever it stands.
            _items.Add(TarItem.Whiteout(path));
        }
    }

    private ModelFile Decoy(string path, ModelFile file) => choices.Of("decoy", path, isTame ? 2 : 3) switch
    {
        2 => file with { Kind = ModelFile.Folder, Data = [], Target = "", Major = 0, Minor = 0, Xattrs = new Dictionary<string, string>() },
        1 => file with { Kind = ModelFile.Symlink, Data = [], Target = "decoy", Major = 0, Minor = 0, Xattrs = new Dictionary<string, string>() },
        _ => file with { Kind = ModelFile.Regular, Data = "decoy"u8.ToArray(), Target = "", Major = 0, Minor = 0, Mode = 0x1FF, Xattrs = new Dictionary<string, string>() },
    };

    /// <summary>Is the file below the same one, and shown?</summary>
    private bool IsKept(string path) => before.Find(path) is { } old && old.IsSame(after.Files[path]) && !IsFresh(ModelTree.Parent(path));

    /// <summary>Is the directory one in both trees, with what it had?</summary>
    private bool IsShown(string path) => before.Find(path) is { IsFolder: true } && after.Find(path) is { IsFolder: true } && !IsFresh(path);

    /// <summary>Has the layer to tell of all that is in the directory?</summary>
    private bool IsFresh(string path) => _fresh.TryGetValue(path, out var known) ? known
        : _fresh[path] = IsNewBelow(path) || before.Find(path) is not { IsFolder: true } || IsOpaque(path) || IsAgain(path);

    private bool IsNewBelow(string path) => path.Length > 0 && IsFresh(ModelTree.Parent(path));

    private bool IsOpaque(string path) => !(isTame && path.Length == 0) && IsOld(path) && !IsAgain(path) && choices.OneIn(7, "opaque", path);

    private bool IsAgain(string path) => path.Length > 0 && IsOld(path) && choices.OneIn(12, "again", path);

    private bool IsOld(string path) => before.Find(path) is { IsFolder: true } && !IsNewBelow(path);
}
