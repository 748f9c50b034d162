using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Output;

/// <summary>What a copy did, for people and for programs.</summary>
/// <param name="Source">The place that was read.</param>
/// <param name="Target">The place that was written.</param>
/// <param name="DryRun">Was nothing done?</param>
/// <param name="Result">What was, or would be, copied.</param>
internal sealed record CopyReport(string Source, string Target, bool DryRun, CopyResult Result)
{
    public static void Tell(Session session, Place from, Place to, CopyResult result, bool dryRun)
    {
        if (to.IsStandardStream)
        {
            // The bytes went there; what else is to be said must not mix with them.
            return;
        }

        if (session.Json)
        {
            Json.Write(new CopyReport(from.ToString(), to.ToString(), dryRun, result), Json.Default.CopyReport);
            return;
        }

        var verb = result.UpToDate ? "is up to date" : dryRun ? "would be copied" : "is copied";
        Console.Out.WriteLine($"{Printable.Of(to.ToString())} {verb}");
        Console.Out.WriteLine($"digest    {result.Target.Digest}");
        if (!result.UpToDate)
        {
            Console.Out.WriteLine(
                $"blobs     {result.BlobsCopied} sent ({Sizes.Of(result.BytesCopied)}), {Sizes.Of(result.BytesPresent)} already there"
                + (result.BlobsMounted > 0 ? $", {result.BlobsMounted} of them mounted" : string.Empty));
        }

        if (result.Target.Digest != result.Source.Digest)
        {
            Console.Out.WriteLine($"source    {result.Source.Digest}: other platforms were left out");
        }

        foreach (var skipped in result.Skipped)
        {
            Console.Error.WriteLine($"imagestore: {skipped} is a foreign layer that the source does not hold; it was left out");
        }
    }
}
