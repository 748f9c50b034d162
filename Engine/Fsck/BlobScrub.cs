using System.Buffers;
using System.Collections.Concurrent;
using ImageStore.Store;
using ImageStore.Store.Interop;
using ImageStore.Store.Oci;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Engine.Fsck;

/// <summary>Reads every blob and hashes it again, at a rate, some at a time, and on from where it was stopped.</summary>
internal sealed class BlobScrub(StoreRoot root, FsckOptions options, TimeProvider time, IProgress<FsckProgress>? progress)
{
    private const int BufferBytes = 1 << 20;
    private static readonly TimeSpan s_saveEvery = TimeSpan.FromSeconds(10);

    private readonly ReadPace _pace = new(options.BytesPerSecond, time);
    private readonly ConcurrentBag<(Digest Digest, string Actual)> _damaged = [];
    private readonly Lock _gate = new();
    private readonly SortedSet<int> _done = [];
    private long _total;
    private long _read;
    private int _through = -1;

    /// <summary>Blobs that were read in this round, and their bytes.</summary>
    public (int Blobs, long Bytes) Verified { get; private set; }

    /// <summary>Has the round ended?</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Those whose bytes are not what their names say, with the digest that they have.</summary>
    public IReadOnlyCollection<(Digest Digest, string Actual)> Damaged => _damaged;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var before = options.Resume && ScrubState.Load(root.Directory) is { Cursor: not null } left ? left : null;
        var state = before ?? new ScrubState(time.GetUtcNow(), null, 0, 0, ScrubState.Load(root.Directory)?.EndedAt);
        var files = root.BlobFiles().Select(file => (file.Digest, file.Path, Name: file.Digest.ToString()))
            .Where(file => string.CompareOrdinal(file.Name, state.Cursor) > 0)
            .OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        _total = files.Sum(file => SizeOf(file.Path));
        var started = time.GetTimestamp();
        var saved = started;
        try
        {
            await Parallel.ForAsync(0, files.Count, cancellationToken, async (i, token) =>
            {
                if (options.AtMost is { } most && time.GetElapsedTime(started) > most)
                {
                    return;
                }

                var bytes = await ReadAsync(files[i].Digest, files[i].Path, token).ConfigureAwait(false);
                lock (_gate)
                {
                    Verified = (Verified.Blobs + 1, Verified.Bytes + bytes);
                    Finish(i);
                    if (time.GetElapsedTime(saved) > s_saveEvery)
                    {
                        saved = time.GetTimestamp();
                        Save(state, files);
                    }
                }
            }).ConfigureAwait(false);
            IsComplete = _through == files.Count - 1;
        }
        finally
        {
            Save(state, files);
        }
    }

    // Those before the first that is not done are what another run need not read.
    private void Finish(int index)
    {
        _done.Add(index);
        while (_done.Remove(_through + 1))
        {
            _through++;
        }
    }

    private void Save(ScrubState state, List<(Digest Digest, string Path, string Name)> files)
    {
        var (blobs, bytes) = (state.Blobs + Verified.Blobs, state.Bytes + Verified.Bytes);
        try
        {
            (IsComplete
                ? new ScrubState(state.StartedAt, null, blobs, bytes, time.GetUtcNow())
                : state with { Cursor = _through < 0 ? state.Cursor : files[_through].Name, Blobs = blobs, Bytes = bytes }).Save(root.Directory);
        }
        catch (Store.Errors.ImageStoreException)
        {
            // Whoever may only read the root begins anew next time.
        }
    }

    private async Task<long> ReadAsync(Digest digest, string path, CancellationToken cancellationToken)
    {
        using var file = Open(digest, path);
        if (file is null)
        {
            return 0;
        }

        using var hash = Digest.CreateHash(digest.Algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var position = 0L;
        try
        {
            int count;
            while ((count = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, BufferBytes), position, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, count));

                // What others work with is to stay in memory, and not what is read once a month.
                KernelFile.DropCache(file, position, count);
                position += count;
                progress?.Report(new FsckProgress(Interlocked.Add(ref _read, count), _total));
                await _pace.SpendAsync(count, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (IOException failure) when (!cancellationToken.IsCancellationRequested)
        {
            _damaged.Add((digest, $"cannot be read: {failure.Message}"));
            return position;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var actual = Digest.FromHash(digest.Algorithm, hash.GetHashAndReset());
        if (actual != digest)
        {
            _damaged.Add((digest, $"has the digest {actual}"));
        }

        return position;
    }

    // A collection may have taken it since it was listed.
    private SafeFileHandle? Open(Digest digest, string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _damaged.Add((digest, $"cannot be read: {failure.Message}"));
            return null;
        }
    }

    private static long SizeOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }
}

/// <summary>How far the reading of blobs is.</summary>
/// <param name="Bytes">Bytes that were read.</param>
/// <param name="Total">Bytes that there are to read.</param>
public readonly record struct FsckProgress(long Bytes, long Total);
