namespace ImageStore.Integration.Tests.Support;

/// <summary>The file tree of one image, as others unpack it and as we do.</summary>
internal static class Trees
{
    /// <summary>What <c>umoci unpack</c> makes of a layout.</summary>
    public static async Task<SortedDictionary<string, string>> ByUmociAsync(string layout, string bundle)
    {
        await Run.AsyncOk("umoci", "unpack", "--image", $"{layout}:latest", bundle);
        return await ListAsync(Path.Combine(bundle, "rootfs"));
    }

    /// <summary>What a pulled image shows when it is mounted.</summary>
    public static async Task<SortedDictionary<string, string>> MountedAsync(
        ImageStoreCli cli, string reference, string target, params string[] options)
    {
        Directory.CreateDirectory(target);
        await cli.OkAsync(["mount", .. options, reference, target]);
        try
        {
            return await ListAsync(target);
        }
        finally
        {
            await cli.OkAsync(["unmount", .. options, target]);
        }
    }

    public static void AssertEqual(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
    {
        Assert.NotEmpty(actual);
        var difference = TreeListing.Difference(expected, actual);
        Assert.True(difference.Length == 0, difference);
    }

    private static async Task<SortedDictionary<string, string>> ListAsync(string root)
    {
        var tree = await TreeListing.OfAsync(root);

        // An image without an entry for its root leaves the root's time to whoever makes it.
        tree.Remove(string.Empty);
        return tree;
    }
}
