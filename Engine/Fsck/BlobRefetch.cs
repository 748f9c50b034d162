using System.Buffers;
using ImageStore.Distribution.Registry;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Fsck;

/// <summary>Brings a blob again from where its labels say that it came from.</summary>
/// <remarks>Whoever answers, the digest decides.</remarks>
internal sealed class BlobRefetch(StoreRoot root, IMetadataReader rows, RegistryClient? registry)
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>Fetches a blob that a row tells of and that has no file.</summary>
    /// <returns>Where it came from; null when no registry has it, or none may be asked.</returns>
    public async Task<string?> RunAsync(Digest digest, long size, CancellationToken cancellationToken)
    {
        if (File.Exists(root.PathOf(digest)))
        {
            // Another namespace's finding about the same blob was first.
            return "fetched again";
        }

        foreach (var (ns, repository) in registry is null ? [] : Sources(digest))
        {
            try
            {
                await FetchAsync(ns, repository, digest, size, cancellationToken).ConfigureAwait(false);
                return $"fetched again from {repository}";
            }
            catch (ImageStoreException failure) when (failure.Kind is not ErrorKind.NoSpace)
            {
                // The next place may have it.
            }
        }

        return null;
    }

    private IEnumerable<(string Namespace, string Repository)> Sources(Digest digest)
    {
        var content = root.Resources.Single(table => table.Kind == ResourceKind.Content);
        foreach (var ns in content.Namespaces(rows))
        {
            if (content.Find(rows, new Resource(ResourceKind.Content, ns, digest.ToString())) is { } row)
            {
                foreach (var (key, value) in row.Labels.Where(label => label.Key.StartsWith(Labels.SourcePrefix, StringComparison.Ordinal)))
                {
                    foreach (var repository in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
                    {
                        yield return (ns, $"{key[Labels.SourcePrefix.Length..]}/{repository}");
                    }
                }
            }
        }
    }

    private async Task FetchAsync(string ns, string repository, Digest digest, long size, CancellationToken cancellationToken)
    {
        var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = digest, Size = size };
        using var client = registry!.Repository(ImageReference.Parse($"{repository}@{digest}"));
        var writer = await root.ContentToRepair(ns).WaitForWriterAsync($"fsck-{digest}", 0, digest.Algorithm, cancellationToken).ConfigureAwait(false);
        await using var closing = writer.ConfigureAwait(false);
        writer.Restart();
        try
        {
            await CopyAsync(await OpenAsync(client, blob, cancellationToken).ConfigureAwait(false), writer, cancellationToken).ConfigureAwait(false);
            await writer.CommitAsync(blob, Labels.None, null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            writer.Abort();
            throw;
        }
    }

    // A row does not tell whether it is a manifest's or another blob's.
    private static async Task<Stream> OpenAsync(RepositoryClient client, Descriptor blob, CancellationToken cancellationToken)
    {
        try
        {
            return await client.OpenBlobAsync(blob, 0, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (failure.Kind is ErrorKind.NotFound or ErrorKind.Unsupported && blob.Size <= OciLimits.MaxManifestBytes)
        {
            return new MemoryStream((await client.FetchManifestAsync(blob.Digest.ToString(), cancellationToken).ConfigureAwait(false)).Bytes.ToArray());
        }
    }

    private static async Task CopyAsync(Stream source, ContentWriter writer, CancellationToken cancellationToken)
    {
        await using var opened = source.ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false)) > 0)
            {
                writer.Write(buffer.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
