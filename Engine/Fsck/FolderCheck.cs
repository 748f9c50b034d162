using ImageStore.Store;
using ImageStore.Store.Metadata;

namespace ImageStore.Engine.Fsck;

/// <summary>What lies in the root and is none of ours, and namespaces that no list has.</summary>
internal sealed class FolderCheck(StoreRoot root, IMetadataReader rows)
{
    public IEnumerable<Fault> Run()
    {
        foreach (var path in root.ForeignEntries())
        {
            yield return new Fault(new Finding(
                FindingKind.ForeignFile, IsDamage: false, null, Path.GetRelativePath(root.Directory, path), "it is none of the store's")
            {
                Remedy = "The store never touches it. Whoever put it there may take it away.",
            });
        }

        var listed = root.Namespaces.List().Select(ns => ns.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var ns in root.Resources.SelectMany(table => table.Namespaces(rows)).Distinct(StringComparer.Ordinal).Where(ns => !listed.Contains(ns)))
        {
            yield return new Fault(
                new Finding(FindingKind.NamespaceUnlisted, IsDamage: true, ns, ns, "it has resources and is in no list")
                {
                    Remedy = "'imagestore fsck --repair' lists it.",
                },
                async token =>
                {
                    await root.Namespaces.EnsureAsync(ns, token).ConfigureAwait(false);
                    return "listed";
                });
        }
    }
}
