using System.Runtime.CompilerServices;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry;

/// <summary>Goes from page to page of a list, as far as a limit of ours.</summary>
internal static class Pages
{
    private const int MaxPages = 10_000;

    /// <summary>The pages, each to be used before the next is asked for; the first may be any status, the others are successes.</summary>
    /// <exception cref="ImageStoreException">The list leads to another host, in a circle, or on and on.</exception>
    public static async IAsyncEnumerable<Reply> ReadAsync(
        RepositoryAccess access, RepositoryRequest first, string subject, [EnumeratorCancellation] CancellationToken ct)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        var page = await access.SendAsync(first, ct).ConfigureAwait(false);
        try
        {
            while (true)
            {
                yield return page;
                if (!page.IsSuccess || LinkHeader.Next(page.Header("Link")) is not { } next)
                {
                    yield break;
                }

                if (!RedirectPolicy.SameOrigin(page.RequestUri, new Uri(page.RequestUri, next)))
                {
                    throw Endless(subject, "leads to another host");
                }

                if (!seen.Add(next.OriginalString) || seen.Count > MaxPages)
                {
                    throw Endless(subject, seen.Count > MaxPages ? $"has more than {MaxPages} pages" : "leads in a circle");
                }

                page.Dispose();
                page = await access.ContinueAsync(page, next, first, ct).ConfigureAwait(false);
                RepositoryAccess.ThrowUnlessSuccess(page, subject);
            }
        }
        finally
        {
            page.Dispose();
        }
    }

    private static ImageStoreException Endless(string subject, string how) => new(
        ErrorKind.LimitExceeded, $"{subject}: the registry's list {how}.", "Ask the registry's operator to correct its paging.");
}
