using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Tests.Support;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Tests.Api;

public sealed class ContentServiceTests : IAsyncLifetime
{
    private static readonly Metadata s_in = RunningDaemon.In("ns");
    private RunningDaemon _daemon = null!;

    private Content.ContentClient Client => new(_daemon.Channel);

    public async ValueTask InitializeAsync() => _daemon = await RunningDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Write_InPieces_AnswersEachAndCommits()
    {
        using var call = Client.Write(s_in);
        var stat = await AskAsync(call, new() { Action = WriteAction.Stat, Ref = "r", Total = 6 });
        Assert.Equal((0, 6), (stat.Offset, stat.Total));
        Assert.NotNull(stat.StartedAt);
        Assert.Equal(3, (await AskAsync(call, new() { Action = WriteAction.Write, Data = ByteString.CopyFromUtf8("abc") })).Offset);
        Assert.Equal(6, (await AskAsync(call, new() { Action = WriteAction.Write, Offset = 3, Data = ByteString.CopyFromUtf8("def") })).Offset);
        var status = await Client.StatusAsync(new StatusRequest { Ref = "r" }, s_in);
        Assert.Equal((6, 6), (status.Status.Offset, status.Status.Total));
        var commit = await AskAsync(call, new()
        {
            Action = WriteAction.Commit, Offset = 6, Total = 6, Expected = Blobs.DigestOf("abcdef"), Labels = { ["a"] = "1" },
        });
        Assert.Equal((Blobs.DigestOf("abcdef"), 6), (commit.Digest, commit.Offset));
        var info = await Client.InfoAsync(new InfoRequest { Digest = Blobs.DigestOf("abcdef") }, s_in);
        Assert.Equal((6, "1"), (info.Info.Size, info.Info.Labels["a"]));
        await Calls.FailsAsync(Client.StatusAsync(new StatusRequest { Ref = "r" }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Write_AfterACallThatWasCutOff_GoesOn()
    {
        using (var first = Client.Write(s_in))
        {
            await AskAsync(first, new() { Action = WriteAction.Write, Ref = "r", Data = ByteString.CopyFromUtf8("abc") });
            await first.RequestStream.CompleteAsync();
            Assert.False(await first.ResponseStream.MoveNext(default));
        }

        using var second = Client.Write(s_in);
        Assert.Equal(3, (await AskAsync(second, new() { Action = WriteAction.Stat, Ref = "r" })).Offset);
        var commit = await AskAsync(second, new() { Action = WriteAction.Commit, Offset = 3, Data = ByteString.CopyFromUtf8("def") });
        Assert.Equal(Blobs.DigestOf("abcdef"), commit.Digest);
    }

    [Fact]
    public async Task Write_AtOffsetZeroWithProgress_StartsAnew()
    {
        using var call = Client.Write(s_in);
        await AskAsync(call, new() { Action = WriteAction.Write, Ref = "r", Data = ByteString.CopyFromUtf8("wrong") });
        Assert.Equal(2, (await AskAsync(call, new() { Action = WriteAction.Write, Data = ByteString.CopyFromUtf8("ok") })).Offset);
    }

    [Theory]
    [InlineData("abc", 7, "", "", StatusCode.OutOfRange)]
    [InlineData("abc", 0, "abd", "", StatusCode.FailedPrecondition)]
    [InlineData("abc", 0, "", "nodigest", StatusCode.InvalidArgument)]
    public async Task Write_WhatIsNotAsAnnounced_IsRefused(string data, long offset, string expectedOf, string expected, StatusCode code)
    {
        using var call = Client.Write(s_in);
        await AskAsync(call, new() { Action = WriteAction.Stat, Ref = "r" });
        await call.RequestStream.WriteAsync(new WriteContentRequest
        {
            Action = WriteAction.Commit, Offset = offset, Data = ByteString.CopyFromUtf8(data),
            Expected = expectedOf.Length > 0 ? Blobs.DigestOf(expectedOf) : expected,
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(code, failure.StatusCode);
    }

    [Fact]
    public async Task Write_WithoutARef_IsRefused()
    {
        using var call = Client.Write(s_in);
        await call.RequestStream.WriteAsync(new WriteContentRequest { Action = WriteAction.Stat });
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task Write_WhileAnotherWrites_IsUnavailable()
    {
        using var first = Client.Write(s_in);
        await AskAsync(first, new() { Action = WriteAction.Stat, Ref = "r" });
        using var second = Client.Write(s_in);
        await second.RequestStream.WriteAsync(new WriteContentRequest { Action = WriteAction.Stat, Ref = "r" });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => second.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task Write_ABlobThatIsThere_AlreadyExistsAndIsLeased()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        await leases.CreateAsync(new CreateRequest { Id = "first" }, s_in);
        await leases.CreateAsync(new CreateRequest { Id = "second" }, s_in);
        await Client.WriteAsync("abc", RunningDaemon.In("ns", "first"));
        using var call = Client.Write(RunningDaemon.In("ns", "second"));
        await call.RequestStream.WriteAsync(new WriteContentRequest { Action = WriteAction.Stat, Ref = "r", Expected = Blobs.DigestOf("abc"), Total = 3 });
        Assert.Equal(StatusCode.AlreadyExists, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default))).StatusCode);
        var held = await leases.ListResourcesAsync(new ListResourcesRequest { Id = "second" }, s_in);
        Assert.Equal([new Resource { Type = "content", Id = Blobs.DigestOf("abc") }], held.Resources);
    }

    [Fact]
    public async Task Write_UnderALease_LeasesTheIngestAndThenTheBlob()
    {
        var leases = new Leases.LeasesClient(_daemon.Channel);
        await leases.CreateAsync(new CreateRequest { Id = "l" }, s_in);
        using var call = Client.Write(RunningDaemon.In("ns", "l"));
        await AskAsync(call, new() { Action = WriteAction.Stat, Ref = "r" });
        Assert.Equal([new Resource { Type = "ingests", Id = "r" }], (await leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" }, s_in)).Resources);
        await AskAsync(call, new() { Action = WriteAction.Commit, Data = ByteString.CopyFromUtf8("abc") });
        Assert.Equal(
            [new Resource { Type = "content", Id = Blobs.DigestOf("abc") }],
            (await leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" }, s_in)).Resources);
    }

    [Fact]
    public async Task Write_UnderALeaseThatIsNotThere_IsNotFound()
    {
        using var call = Client.Write(RunningDaemon.In("ns", "none"));
        await call.RequestStream.WriteAsync(new WriteContentRequest { Action = WriteAction.Stat, Ref = "r" });
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default))).StatusCode);
    }

    [Fact]
    public async Task Read_APart_GivesItInChunksThatCountFromIt()
    {
        var text = new string('x', 3_000_000);
        await Client.WriteAsync(text, s_in);
        var chunks = await Calls.AllAsync(Client.Read(new ReadContentRequest { Digest = Blobs.DigestOf(text), Offset = 500_000, Size = 2_000_000 }, s_in));
        Assert.Equal([0, 1 << 20], chunks.Select(chunk => chunk.Offset));
        Assert.Equal(2_000_000, chunks.Sum(chunk => chunk.Data.Length));
    }

    [Fact]
    public async Task Read_All_GivesTheBytes()
    {
        await Client.WriteAsync("abcdef", s_in);
        var chunks = await Calls.AllAsync(Client.Read(new ReadContentRequest { Digest = Blobs.DigestOf("abcdef"), Offset = 2, Size = 100 }, s_in));
        Assert.Equal("cdef", Encoding.UTF8.GetString([.. chunks.SelectMany(chunk => chunk.Data.ToByteArray())]));
        var beyond = await Assert.ThrowsAsync<RpcException>(
            () => Calls.AllAsync(Client.Read(new ReadContentRequest { Digest = Blobs.DigestOf("abcdef"), Offset = 7 }, s_in)));
        Assert.Equal(StatusCode.OutOfRange, beyond.StatusCode);
    }

    [Fact]
    public async Task AnyCall_OnABlobOfAnotherNamespace_IsNotFound()
    {
        var digest = await Client.WriteAsync("secret", s_in);
        var other = RunningDaemon.In("other");
        await Calls.FailsAsync(Client.InfoAsync(new InfoRequest { Digest = digest }, other), StatusCode.NotFound);
        await Calls.FailsAsync(Client.DeleteAsync(new DeleteContentRequest { Digest = digest }, other), StatusCode.NotFound);
        await Calls.FailsAsync(Client.UpdateAsync(new UpdateRequest { Info = new Info { Digest = digest } }, other), StatusCode.NotFound);
        Assert.Empty(await Calls.AllAsync(Client.List(new ListContentRequest(), other)));
        using var call = Client.Write(other);
        Assert.Equal(0, (await AskAsync(call, new() { Action = WriteAction.Stat, Ref = "r", Expected = digest, Total = 6 })).Offset);
    }

    [Fact]
    public async Task List_ManyBlobs_ComesInBatches()
    {
        await new Leases.LeasesClient(_daemon.Channel).CreateAsync(new CreateRequest { Id = "l" }, s_in);
        for (var i = 0; i < 101; i++)
        {
            await Client.WriteAsync($"blob {i}", RunningDaemon.In("ns", "l"));
        }

        var batches = await Calls.AllAsync(Client.List(new ListContentRequest(), s_in));
        Assert.Equal([100, 1], batches.Select(batch => batch.Info.Count));
    }

    [Fact]
    public async Task Update_ALabel_IsFoundByIt()
    {
        var digest = await Client.WriteAsync("abc", s_in);
        await Client.WriteAsync("other", s_in);
        await Client.UpdateAsync(
            new UpdateRequest { Info = new Info { Digest = digest, Labels = { ["a.b/c"] = "1" } }, UpdateMask = new FieldMask { Paths = { "labels.a.b/c" } } }, s_in);
        var found = await Calls.AllAsync(Client.List(new ListContentRequest { Filters = { "labels.\"a.b/c\"==1" } }, s_in));
        Assert.Equal([digest], found.SelectMany(batch => batch.Info).Select(info => info.Digest));
        await Calls.FailsAsync(
            Client.UpdateAsync(new UpdateRequest { Info = new Info { Digest = digest }, UpdateMask = new FieldMask { Paths = { "size" } } }, s_in),
            StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Abort_AnIngest_ForgetsIt()
    {
        using (var call = Client.Write(s_in))
        {
            await AskAsync(call, new() { Action = WriteAction.Write, Ref = "r", Data = ByteString.CopyFromUtf8("abc") });
            await Calls.FailsAsync(Client.AbortAsync(new AbortRequest { Ref = "r" }, s_in), StatusCode.Unavailable);
            await call.RequestStream.CompleteAsync();
            await call.ResponseStream.MoveNext(default);
        }

        Assert.Equal("r", Assert.Single((await Client.ListStatusesAsync(new ListStatusesRequest { Filters = { "ref~=^r" } }, s_in)).Statuses).Ref);
        await Client.AbortAsync(new AbortRequest { Ref = "r" }, s_in);
        Assert.Empty((await Client.ListStatusesAsync(new ListStatusesRequest(), s_in)).Statuses);
        await Calls.FailsAsync(Client.AbortAsync(new AbortRequest { Ref = "r" }, s_in), StatusCode.NotFound);
    }

    [Fact]
    public async Task Write_WithSha512_VerifiesByIt()
    {
        var digest = Digest.Compute("abc"u8, DigestAlgorithm.Sha512).ToString();
        using var call = Client.Write(s_in);
        var answer = await AskAsync(call, new() { Action = WriteAction.Commit, Ref = "r", Expected = digest, Data = ByteString.CopyFromUtf8("abc") });
        Assert.Equal(digest, answer.Digest);
    }

    private static async Task<WriteContentResponse> AskAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request)
    {
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext(default));
        return call.ResponseStream.Current;
    }
}
