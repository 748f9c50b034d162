using System.Security.Cryptography;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using Xunit;

namespace ImageStore.Conformance;

/// <summary>What every content store must do; an implementation's tests inherit it.</summary>
public abstract class ContentStoreSuite : IAsyncLifetime
{
    private const string Ref = "layer-test";

    /// <summary>The store under test, fresh for each test.</summary>
    protected IContentStore Content { get; private set; } = null!;

    /// <summary>Opens an empty store.</summary>
    protected abstract Task<IContentStore> OpenAsync();

    /// <summary>Closes the store and opens it again, as after the end of the process.</summary>
    protected abstract Task<IContentStore> ReopenAsync();

    /// <summary>The same bytes as another namespace sees them.</summary>
    protected abstract IContentStore Other { get; }

    /// <summary>Removes what the tests left.</summary>
    public abstract ValueTask DisposeAsync();

    public async ValueTask InitializeAsync() => Content = await OpenAsync();

    [Fact]
    public async Task Commit_RightBytes_CanBeReadBackAndListed()
    {
        var (descriptor, bytes) = Blob(100_000);
        var info = await WriteAsync(Content, descriptor, bytes, new() { ["a"] = "b" });
        Assert.Equal((descriptor.Digest, 100_000L, "b"), (info.Digest, info.Size, info.Labels["a"]));
        Assert.Equal(bytes, await ReadAsync(Content, descriptor.Digest));
        Assert.Equal(descriptor.Digest, Assert.Single(Content.List()).Digest);
        Assert.Empty(Content.ListIngests());
    }

    [Fact]
    public async Task Commit_Sha512_CanBeReadBack()
    {
        var bytes = RandomNumberGenerator.GetBytes(1000);
        var descriptor = new Descriptor { MediaType = "x", Digest = Digest.Compute(bytes, DigestAlgorithm.Sha512), Size = 1000 };
        await WriteAsync(Content, descriptor, bytes, []);
        Assert.Equal(bytes, await ReadAsync(Content, descriptor.Digest));
    }

    [Fact]
    public async Task Commit_ZeroBytes_IsABlob()
    {
        var (descriptor, bytes) = Blob(0);
        await WriteAsync(Content, descriptor, bytes, []);
        Assert.Empty(await ReadAsync(Content, descriptor.Digest));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Commit_WrongSize_IsCorruptDataAndKeepsNothing(int off)
    {
        var (descriptor, bytes) = Blob(1000);
        var writer = await Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default);
        writer.Write(bytes);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => writer.CommitAsync(descriptor with { Size = 1000 + off }, Labels.None, null, default));
        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Null(Content.Find(descriptor.Digest));
        Assert.Empty(Content.ListIngests());
    }

    [Fact]
    public async Task Commit_WrongDigest_IsCorruptDataAndKeepsNothing()
    {
        var (descriptor, bytes) = Blob(1000);
        bytes[500] ^= 1;
        var writer = await Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default);
        writer.Write(bytes);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => writer.CommitAsync(descriptor, Labels.None, null, default));
        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Null(Content.Find(descriptor.Digest));
        Assert.Empty(Content.ListIngests());
    }

    [Fact]
    public async Task OpenWriter_AfterDisposeWithoutCommit_GoesOnWhereItStopped()
    {
        var (descriptor, bytes) = Blob(3_000_000);
        await using (var first = await Content.OpenWriterAsync(Ref, descriptor.Size, DigestAlgorithm.Sha256, default))
        {
            first.Write(bytes.AsSpan(0, 2_500_000));
        }

        var status = Assert.Single(Content.ListIngests());
        Assert.Equal((Ref, 2_500_000L, 3_000_000L), (status.Ref, status.Offset, status.Total));
        Content = await ReopenAsync();
        var second = await Content.OpenWriterAsync(Ref, descriptor.Size, DigestAlgorithm.Sha256, default);
        Assert.Equal(2_500_000, second.Offset);
        second.Write(bytes.AsSpan(2_500_000));
        await second.CommitAsync(descriptor, Labels.None, null, default);
        Assert.Equal(bytes, await ReadAsync(Content, descriptor.Digest));
    }

    [Fact]
    public async Task OpenWriter_SecondOnOneRef_IsUnavailable()
    {
        await using var first = await Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public async Task OpenWriter_BadRef_IsInvalidArgument(string reference) =>
        Assert.Equal(
            ErrorKind.InvalidArgument,
            (await Assert.ThrowsAsync<ImageStoreException>(
                () => Content.OpenWriterAsync(reference, 0, DigestAlgorithm.Sha256, default))).Kind);

    [Fact]
    public async Task OpenWriter_RefThatClimbs_StaysInTheStore()
    {
        await using var writer = await Content.OpenWriterAsync("../../../../escape", 0, DigestAlgorithm.Sha256, default);
        writer.Write("x"u8);
        Assert.Equal("../../../../escape", Assert.Single(Content.ListIngests()).Ref);
    }

    [Fact]
    public async Task Abort_Ingest_DeletesItsBytes()
    {
        var writer = await Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default);
        writer.Write("abc"u8);
        writer.Abort();
        Assert.Empty(Content.ListIngests());
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<ImageStoreException>(() => Content.AbortIngest(Ref)).Kind);
    }

    [Fact]
    public async Task Follow_WhileWriting_ReadsAllBytesAndEnds()
    {
        var (descriptor, bytes) = Blob(5_000_000);
        var writer = await Content.OpenWriterAsync(Ref, descriptor.Size, DigestAlgorithm.Sha256, default);
        writer.Write(bytes.AsSpan(0, 1000));
        var following = writer.Follow(default);
        var read = Task.Run(async () =>
        {
            using var copy = new MemoryStream();
            await following.CopyToAsync(copy);
            return copy.ToArray();
        });
        for (var at = 1000; at < bytes.Length; at += 499_900)
        {
            writer.Write(bytes.AsSpan(at, Math.Min(499_900, bytes.Length - at)));
            await Task.Yield();
        }

        await writer.CommitAsync(descriptor, Labels.None, null, default);
        Assert.Equal(bytes, await read);
    }

    [Fact]
    public async Task Follow_WriterGivesUp_Fails()
    {
        var writer = await Content.OpenWriterAsync(Ref, 0, DigestAlgorithm.Sha256, default);
        writer.Write("abc"u8);
        using var following = writer.Follow(default);
        Assert.Equal(3, following.Read(new byte[10]));
        await writer.DisposeAsync();
        Assert.Throws<IOException>(() => following.Read(new byte[10]));
    }

    [Fact]
    public async Task Find_OtherNamespace_SeesNothingUntilItShowsTheBytes()
    {
        var (descriptor, bytes) = Blob(1000);
        await WriteAsync(Content, descriptor, bytes, []);
        Assert.Null(Other.Find(descriptor.Digest));
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<ImageStoreException>(() => Other.OpenRead(descriptor.Digest)).Kind);
        Assert.Null(await Other.AdoptAsync(descriptor, BlobProof.None, Labels.None, null, default));
        Assert.Null(await Other.AdoptAsync(descriptor, BlobProof.FromBytes(descriptor, new byte[1000]), Labels.None, null, default));
        Assert.NotNull(await Other.AdoptAsync(descriptor, BlobProof.FromBytes(descriptor, bytes), Labels.None, null, default));
        Assert.Equal(bytes, await ReadAsync(Other, descriptor.Digest));
    }

    [Fact]
    public async Task Adopt_OnTheWordOfARegistry_CountsWhereTheBytesCameFromIt()
    {
        var (descriptor, bytes) = Blob(1000);
        await using (var writer = await Content.OpenWriterAsync(Ref, descriptor.Size, descriptor.Digest.Algorithm, default))
        {
            writer.Write(bytes);
            writer.Origin = "https://one.example";
            await writer.CommitAsync(descriptor, Labels.None, null, default);
        }

        Assert.False(Other.CouldProve(descriptor.Digest, ["https://two.example"]));
        Assert.Null(await Other.AdoptAsync(descriptor, BlobProof.FromRegistry("https://two.example"), Labels.None, null, default));
        Assert.Null(await Other.AdoptAsync(descriptor, BlobProof.FromRegistry(null), Labels.None, null, default));
        Assert.True(Other.CouldProve(descriptor.Digest, ["https://one.example", "https://two.example"]));
        Assert.NotNull(await Other.AdoptAsync(descriptor, BlobProof.FromRegistry("https://one.example"), Labels.None, null, default));
        Assert.Equal(bytes, await ReadAsync(Other, descriptor.Digest));
    }

    [Fact]
    public async Task Remove_WhileAnotherNamespaceSeesIt_KeepsItsBytes()
    {
        var (descriptor, bytes) = Blob(1000);
        await WriteAsync(Content, descriptor, bytes, []);
        await WriteAsync(Other, descriptor, bytes, []);
        await Content.RemoveAsync(descriptor.Digest, default);
        Assert.Equal(bytes, await ReadAsync(Other, descriptor.Digest));
        await Other.RemoveAsync(descriptor.Digest, default);
        Assert.Null(await Content.AdoptAsync(descriptor, BlobProof.FromBytes(descriptor, bytes), Labels.None, null, default));
    }

    [Fact]
    public async Task UpdateLabels_EmptyValue_RemovesTheLabel()
    {
        var (descriptor, bytes) = Blob(10);
        await WriteAsync(Content, descriptor, bytes, new() { ["a"] = "1", ["b"] = "2" });
        var info = await Content.UpdateLabelsAsync(
            descriptor.Digest, new Dictionary<string, string> { ["a"] = "", ["c"] = "3" }, default);
        Assert.Equal(["b", "c"], info.Labels.Keys.Order());
    }

    [Fact]
    public async Task UpdateLabels_OverTheLimit_IsInvalidArgument()
    {
        var (descriptor, bytes) = Blob(10);
        await WriteAsync(Content, descriptor, bytes, []);
        var labels = new Dictionary<string, string> { ["a"] = new('x', Labels.MaxBytes) };
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => Content.UpdateLabelsAsync(descriptor.Digest, labels, default));
        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
    }

    [Fact]
    public async Task Reopen_CommittedBlob_IsThere()
    {
        var (descriptor, bytes) = Blob(1000);
        await WriteAsync(Content, descriptor, bytes, new() { ["a"] = "b" });
        Content = await ReopenAsync();
        Assert.Equal("b", Content.Find(descriptor.Digest)!.Labels["a"]);
        Assert.Equal(bytes, await ReadAsync(Content, descriptor.Digest));
    }

    private static (Descriptor Descriptor, byte[] Bytes) Blob(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        return (new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Compute(bytes), Size = size }, bytes);
    }

    private static async Task<ContentInfo> WriteAsync(
        IContentStore content, Descriptor descriptor, byte[] bytes, Dictionary<string, string> labels)
    {
        await using var writer = await content.OpenWriterAsync(Ref, descriptor.Size, descriptor.Digest.Algorithm, default);
        writer.Write(bytes);
        return await writer.CommitAsync(descriptor, labels, null, default);
    }

    private static async Task<byte[]> ReadAsync(IContentStore content, Digest digest)
    {
        await using var stream = content.OpenRead(digest);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
