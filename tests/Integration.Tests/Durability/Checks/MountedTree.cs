using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What an image shows when it is mounted.</summary>
internal static class MountedTree
{
    /// <summary>Mounts the image, lists it, and unmounts it.</summary>
    /// <exception cref="CommandException">It cannot be mounted or unmounted.</exception>
    public static async Task<SortedDictionary<string, string>> ReadAsync(StoreCli cli, string ns, string image, string directory)
    {
        Directory.CreateDirectory(directory);
        await OkAsync(cli, ns, "mount", image, directory);
        var tree = await TreeListing.OfAsync(cli.Boot.RootPath + directory);
        await OkAsync(cli, ns, "unmount", directory);
        Directory.Delete(directory);

        // An image without an entry for its root leaves the root's time to whoever makes it.
        tree.Remove(string.Empty);
        return tree;
    }

    private static async Task OkAsync(StoreCli cli, string ns, params string[] arguments)
    {
        var result = await cli.TryAsync(ns, arguments);
        if (result.ExitCode != 0)
        {
            throw new CommandException($"'{string.Join(' ', arguments)}' ended with {result.ExitCode}: {result.Error.Trim()}");
        }
    }
}
