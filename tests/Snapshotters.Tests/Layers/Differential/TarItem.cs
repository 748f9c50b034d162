namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>One entry of a layer.</summary>
/// <param name="Path">Its name, in Latin-1; the root's is empty.</param>
/// <param name="File">What it makes; null for a whiteout.</param>
/// <param name="Link">The name that a hard link points at; null for none.</param>
internal sealed record TarItem(string Path, ModelFile? File, string? Link = null)
{
    public static TarItem Whiteout(string path) => new(Join(ModelTree.Parent(path), ".wh." + path[(path.LastIndexOf('/') + 1)..]), null);

    public static TarItem Opaque(string folder) => new(Join(folder, ".wh..wh..opq"), null);

    private static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";
}
