using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>Large blobs in several ranges at once.</summary>
public sealed class ParallelBlobStreamTests : IAsyncDisposable
{
    private const int Size = 24 * 1024 * 1024;

    private readonly RegistryPair _pair = new(options => options with { ParallelRangesFrom = 4 * 1024 * 1024 });
    private readonly byte[] _bytes = new byte[Size];

    public ParallelBlobStreamTests()
    {
        new Random(5).NextBytes(_bytes);
        Ranges = [];
        _pair.Registry.Intercept = request =>
        {
            if (request.Header("Range") is { } range)
            {
                lock (Ranges)
                {
                    Ranges.Add(range);
                }
            }

            return Slow(_pair.Registry.Serve(request));
        };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private List<string> Ranges { get; }

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task Read_SlowConnections_BringsAllBytesInOrderOverSeveral()
    {
        Assert.Equal(_bytes, await ReadAsync(0));
        Assert.True(Ranges.Count > 4, $"{Ranges.Count} ranges");
        Assert.All(Ranges, range => Assert.Matches(@"^bytes=\d+-\d*$", range));
    }

    [Fact]
    public async Task Read_ConnectionThatIsFastAtFirstOnly_BringsTheRestOverSeveral()
    {
        var usual = _pair.Registry.Intercept!;
        _pair.Registry.Intercept = request => usual(request)! with { FastBytes = 6 * 1024 * 1024 };

        Assert.Equal(_bytes, await ReadAsync(0));
        Assert.True(Ranges.Count > 4, $"{Ranges.Count} ranges");
    }

    [Fact]
    public async Task Read_FromAnOffset_BringsTheRest() => Assert.Equal(_bytes[5_000_001..], await ReadAsync(5_000_001));

    [Fact]
    public async Task Read_RangesBreakAndFail_AllBytesArrive()
    {
        var count = 0;
        var usual = _pair.Registry.Intercept!;
        _pair.Registry.Intercept = request => request.Header("Range") is null ? usual(request) : Interlocked.Increment(ref count) switch
        {
            2 => FakeResponse.Text(503, ""),
            3 => usual(request)! with { TruncateAt = 1000 },
            5 => usual(request)! with { StallAt = 10 },
            _ => usual(request),
        };

        Assert.Equal(_bytes, await ReadAsync(0));
    }

    [Fact]
    public async Task Read_RegistryHasNoRanges_OneConnectionBringsAll()
    {
        _pair.Registry.Intercept = request => Slow(_pair.Registry.Serve(request with
        {
            Headers = request.Headers.Where(header => header.Key != "Range").ToDictionary(),
        })) with
        {
            Headers = new Dictionary<string, string> { ["Accept-Ranges"] = "none" },
        };

        Assert.Equal(_bytes, await ReadAsync(0));
        Assert.Single(_pair.Registry.Requests);
    }

    [Fact]
    public async Task Read_RangesNeverCome_FailsAndDoesNotHang()
    {
        var usual = _pair.Registry.Intercept!;
        _pair.Registry.Intercept = request => request.Header("Range") is null ? usual(request) : FakeResponse.Text(404, "");

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ReadAsync(0));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task Dispose_InTheMiddle_Ends()
    {
        var blob = _pair.Registry.AddBlob("r", _bytes);
        var stream = await _pair.Repository.OpenBlobAsync(blob, 0, Ct);
        await stream.ReadExactlyAsync(new byte[4 * 1024 * 1024], Ct);
        await stream.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Ct);
    }

    private async Task<byte[]> ReadAsync(int offset)
    {
        var blob = _pair.Registry.AddBlob("r", _bytes);
        await using var stream = await _pair.Repository.OpenBlobAsync(blob, offset, Ct);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Ct);
        return copy.ToArray();
    }

    private static FakeResponse Slow(FakeResponse response)
    {
        var headers = response.Headers.ToDictionary();
        headers["Accept-Ranges"] = "bytes";
        return response with { Headers = headers, BytesPerSecond = 20_000_000 };
    }
}
