using System.CommandLine;
using System.CommandLine.Completions;
using ImageStore.Engine;
using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Completion;

/// <summary>Words that only the store knows, for the shell to complete; a store that cannot be read has none.</summary>
internal static class DynamicValues
{
    private const string HubLibrary = "docker.io/library/";
    private const string Hub = "docker.io/";

    /// <summary>Names of images, short where Docker's users write them so.</summary>
    public static IEnumerable<CompletionItem> Images(CompletionContext context) => From(
        context,
        engine => engine.Images.List().Select(image => AsTyped(image.Name, context.WordToComplete)));

    public static IEnumerable<CompletionItem> Namespaces(CompletionContext context) =>
        From(context, engine => engine.Namespaces.List().Select(ns => ns.Name), anyNamespace: true);

    public static IEnumerable<CompletionItem> Digests(CompletionContext context) =>
        From(context, engine => engine.Content.List().Select(blob => blob.Digest.ToString()));

    public static IEnumerable<CompletionItem> Jobs(CompletionContext context) => Quietly(
        context,
        root =>
        [
            .. new JobFolder(root, context.ParseResult.GetValue(GlobalOptions.Namespace)!, TimeProvider.System).List(static _ => { })
                .Select(job => new CompletionItem(job.Id)),
        ]);

    /// <summary>Keys of snapshots that somebody may have changed, of every snapshotter.</summary>
    public static IEnumerable<CompletionItem> Snapshots(CompletionContext context) => From(context, engine => engine.ActiveSnapshots());

    public static IEnumerable<CompletionItem> SnapshotsAndImages(CompletionContext context) => Snapshots(context).Concat(Images(context));

    private static string AsTyped(string name, string word)
    {
        if (word.Length > 0 && name.StartsWith(word, StringComparison.Ordinal))
        {
            return name;
        }

        return name.StartsWith(HubLibrary, StringComparison.Ordinal) ? name[HubLibrary.Length..]
            : name.StartsWith(Hub, StringComparison.Ordinal) ? name[Hub.Length..]
            : name;
    }

    private static List<CompletionItem> From(
        CompletionContext context, Func<StoreEngine, IEnumerable<string>> values, bool anyNamespace = false) =>
        Quietly(context, _ => ReadAsync(context.ParseResult, values, anyNamespace).GetAwaiter().GetResult());

    private static List<CompletionItem> Quietly(CompletionContext context, Func<string, List<CompletionItem>> read)
    {
        if (context.ParseResult.GetValue(GlobalOptions.Root) is not { Length: > 0 } root)
        {
            // Help asks too, without a command line, and is not to list what is in the store.
            return [];
        }

        try
        {
            return read(root);
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            // The command itself will say what is wrong; a shell's prompt is no place for it.
            return [];
        }
    }

    private static async Task<List<CompletionItem>> ReadAsync(
        ParseResult parsed, Func<StoreEngine, IEnumerable<string>> values, bool anyNamespace)
    {
        var options = new EngineOptions
        {
            Root = parsed.GetValue(GlobalOptions.Root)!,

            // The namespace that is being typed has no value yet.
            Namespace = anyNamespace ? "default" : parsed.GetValue(GlobalOptions.Namespace)!,
            Access = MetadataAccess.ReadOnly,
        };
        var engine = await StoreEngine.OpenAsync(options, CancellationToken.None).ConfigureAwait(false);
        await using var closing = engine.ConfigureAwait(false);
        return [.. values(engine).Where(value => !value.Any(char.IsControl)).Select(value => new CompletionItem(value))];
    }
}
