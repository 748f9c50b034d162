using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Gc.Pressure;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Engine.Prepull;

/// <summary>Pulls what a set names and the store lacks, as a job whose record outlives the process.</summary>
/// <remarks>The root is held for one image at a time, so that commands work between two and while the job waits.</remarks>
public sealed class PrepullRun
{
    // Who waits for the root looks every 50 ms whether it is free.
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private readonly EngineOptions _options;
    private readonly PrepullSet _set;
    private readonly PrepullHooks _hooks;
    private readonly JobFolder _folder;
    private readonly TimeProvider _time;

    // What an interrupted job has seen to was seen to just now; one that waits may do so for days.
    private bool _trustsRecord;

    /// <summary>Makes one; <see cref="RunAsync"/> has it work.</summary>
    /// <param name="options">How the root is opened.</param>
    /// <param name="set">What is to be there.</param>
    /// <param name="hooks">Are told how far it is.</param>
    public PrepullRun(EngineOptions options, PrepullSet set, PrepullHooks hooks)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _set, _hooks, _time) = (options with { Access = MetadataAccess.ReadWrite }, set, hooks, options.Time);
        _folder = new JobFolder(options.Root, options.Namespace, options.Time);
    }

    /// <summary>Goes on with the set's job, or begins one, to its end.</summary>
    /// <param name="wait">Wait for windows that are not open? Else the job is left waiting for the next run.</param>
    /// <param name="cancellationToken">Interrupts it; the next run goes on.</param>
    /// <returns>What came of it. Images that failed are no exception.</returns>
    /// <exception cref="ImageStoreException">Another process pulls the set (<see cref="ErrorKind.FailedPrecondition"/>), or the root cannot
    /// be used.</exception>
    public async Task<JobRecord> RunAsync(bool wait, CancellationToken cancellationToken)
    {
        // A directory that is no root, and none to be, gets no folder for jobs.
        var isFirst = !_folder.IsThere;
        if (isFirst)
        {
            await TryRootAsync(cancellationToken).ConfigureAwait(false);
            _folder.Create();
        }

        using var held = await _folder.LockAsync(_set.Name, cancellationToken).ConfigureAwait(false) ?? throw InUse();
        if (!isFirst)
        {
            // Behind the set's lock: whoever has that may have the root for long.
            await TryRootAsync(cancellationToken).ConfigureAwait(false);
        }

        var ledger = new JobLedger(_folder, Begin(), _hooks.Warn);
        try
        {
            var state = await PullAllAsync(ledger, wait, cancellationToken).ConfigureAwait(false);
            var unpinned = state is JobState.Done or JobState.Failed
                ? await ReleaseAsync(cancellationToken).ConfigureAwait(false)
                : ledger.Job.Unpinned;
            ledger.Save(job => job with { State = state, Unpinned = unpinned, EndedAt = _time.GetUtcNow() });
            _folder.ForgetRequest(ledger.Job.Id);
            return ledger.Job;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            ledger.Save(job => job with { State = JobState.Interrupted, EndedAt = _time.GetUtcNow() });
            throw;
        }
    }

    // What is wrong with the root is told once, and not of each image.
    private Task TryRootAsync(CancellationToken cancellationToken) => WithEngineAsync(_options, static _ => Task.CompletedTask, cancellationToken);

    private ImageStoreException InUse()
    {
        var job = _folder.Newest(_set.Name);
        var who = job is null ? "another process" : $"process {job.ProcessId}, as the job {job.Id}";
        return new ImageStoreException(
            ErrorKind.FailedPrecondition,
            $"The set {_set.Name} is being pulled already, by {who}.",
            job is null ? "Wait for it to end." : $"'imagestore jobs show {job.Id}' tells how far it is, 'imagestore jobs cancel {job.Id}' ends it.");
    }

    private JobRecord Begin()
    {
        var last = _folder.Newest(_set.Name);
        if (last is { HasEnded: false })
        {
            var isSame = last.SetDigest == _set.Digest;
            if (isSame && !_folder.IsCancelRequested(last.Id))
            {
                _trustsRecord = last.State != JobState.Waiting;
                return last with { State = JobState.Running, ProcessId = Environment.ProcessId, EndedAt = null, Images = [.. last.Images.Select(Again)] };
            }

            _folder.Save(last with { State = JobState.Cancelled, Reason = isSame ? null : "the set was changed", EndedAt = _time.GetUtcNow() });
            _folder.ForgetRequest(last.Id);
        }

        _folder.Prune(_set.Name);
        var failed = last?.Images.Where(image => image.State == JobImageState.Failed)
            .ToDictionary(image => image.Name, image => image.Attempts, StringComparer.Ordinal);
        return new JobRecord
        {
            Id = _folder.NextId(_set.Name),
            Namespace = _options.Namespace,
            Set = _set.Name,
            SetDigest = _set.Digest,
            State = JobState.Running,
            ProcessId = Environment.ProcessId,
            StartedAt = _time.GetUtcNow(),
            Images = [.. _set.Images.Select(entry => new JobImage
            {
                Name = entry.Name, Priority = entry.Terms.Priority, Attempts = failed?.GetValueOrDefault(entry.Name) ?? 0,
            })],
        };
    }

    private static JobImage Again(JobImage image) =>
        image.State is JobImageState.Pulling or JobImageState.Failed ? image with { State = JobImageState.Pending } : image;

    private async Task<JobState> PullAllAsync(JobLedger ledger, bool wait, CancellationToken cancellationToken)
    {
        var left = Enumerable.Range(0, _set.Images.Count).OrderByDescending(i => _set.Images[i].Terms.Priority).ToList();
        while (left.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_folder.IsCancelRequested(ledger.Job.Id))
            {
                return JobState.Cancelled;
            }

            var now = _time.GetLocalNow();
            var next = left.FindIndex(i => UntilOpen(i, now) == TimeSpan.Zero);
            if (next >= 0)
            {
                var before = ledger.Job.Bytes;
                if (!await PullAsync(ledger, left[next], cancellationToken).ConfigureAwait(false))
                {
                    return JobState.Cancelled;
                }

                left.RemoveAt(next);
                if (ledger.Job.Bytes > before && left.Count > 0)
                {
                    await Task.Delay(s_turn, _time, cancellationToken).ConfigureAwait(false);
                }
            }
            else if (!wait)
            {
                return JobState.Waiting;
            }
            else
            {
                await WaitAsync(ledger, left, cancellationToken).ConfigureAwait(false);
            }
        }

        return ledger.Job.Count(JobImageState.Failed) > 0 ? JobState.Failed : JobState.Done;
    }

    private TimeSpan UntilOpen(int index, DateTimeOffset now) => _set.Images[index].Terms.Window?.UntilOpen(now) ?? TimeSpan.Zero;

    private async Task WaitAsync(JobLedger ledger, List<int> left, CancellationToken cancellationToken)
    {
        var now = _time.GetLocalNow();
        _hooks.TellWait(now + left.Min(i => UntilOpen(i, now)));
        ledger.Save(job => job with { State = JobState.Waiting });

        // In small steps: the clock may be set meanwhile, and the job cancelled.
        while (left.TrueForAll(i => UntilOpen(i, _time.GetLocalNow()) > TimeSpan.Zero) && !_folder.IsCancelRequested(ledger.Job.Id))
        {
            await Task.Delay(s_look, _time, cancellationToken).ConfigureAwait(false);
        }

        ledger.Save(job => job with { State = JobState.Running });
    }

    /// <summary>Pulls one image; what it fails with is noted.</summary>
    /// <returns>False when the job was cancelled meanwhile.</returns>
    private async Task<bool> PullAsync(JobLedger ledger, int index, CancellationToken cancellationToken)
    {
        var before = ledger.Job.Images[index];
        var wasThere = before.State is JobImageState.Done or JobImageState.Skipped;
        var trying = before with
        {
            State = JobImageState.Pulling,
            Attempts = before.Attempts + 1,
            StartedAt = _time.GetUtcNow(),
            EndedAt = null,
            Reason = null,
            Remedy = null,
            Kind = null,
        };
        ledger.Note(index, _ => trying);
        var after = trying;
        await _hooks.Show(async progress => after = await TryAsync(ledger, index, trying, wasThere, progress, cancellationToken).ConfigureAwait(false))
            .ConfigureAwait(false);
        after = after with { EndedAt = _time.GetUtcNow() };

        // What an earlier run of the job brought and is still there stays its doing.
        ledger.Note(index, _ => wasThere && after.State == JobImageState.Skipped ? before with { Digest = after.Digest } : after);
        if (after.State == JobImageState.Pending)
        {
            return false;
        }

        // What was there already is found again without a record, and there may be hundreds of it.
        if (after.State != JobImageState.Skipped)
        {
            ledger.Save();
        }

        _hooks.Tell(after);
        return true;
    }

    private async Task<JobImage> TryAsync(
        JobLedger ledger, int index, JobImage trying, bool wasThere, TransferProgress progress, CancellationToken cancellationToken)
    {
        var entry = _set.Images[index];
        var watch = new PullWatch(
            () => _folder.IsCancelRequested(ledger.Job.Id),
            () => PullWatch.Judge(entry.Terms.KeepFree, progress, () => DiskSpace.Of(_options.Root), entry.Name),
            () =>
            {
                ledger.Note(index, _ => trying with { Bytes = trying.Bytes + progress.Received });
                ledger.Save();
            },
            _time,
            cancellationToken);
        await using var watching = watch.ConfigureAwait(false);
        try
        {
            var (result, isNew) = await new SetPull(_options, _set.Name, entry)
                .RunAsync(askRegistry: !(wasThere && _trustsRecord), progress, watch.Token).ConfigureAwait(false);
            return Counted() with { State = isNew ? JobImageState.Done : JobImageState.Skipped, Digest = result.Target.Digest };
        }
        catch (Exception) when (watch.IsCancelled)
        {
            return Counted() with { State = JobImageState.Pending };
        }
        catch (Exception failure) when (watch.Refusal is not null || failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var known = watch.Refusal ?? IoErrors.From(failure, $"Pulling {entry.Name}");
            return Counted() with { State = JobImageState.Failed, Reason = known.Message, Remedy = known.Remedy, Kind = known.Kind };
        }

        JobImage Counted() => trying with { Bytes = trying.Bytes + progress.Received };
    }

    /// <summary>Lets go of the images that the set pinned in an earlier run and no longer does.</summary>
    private async Task<IReadOnlyList<string>> ReleaseAsync(CancellationToken cancellationToken)
    {
        var pinned = _set.Images.Where(entry => entry.Terms.Pin).Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        List<string> released = [];
        await WithEngineAsync(_options, async engine =>
        {
            foreach (var image in engine.Images.List().Where(image => PinClaims.Has(image.Labels, _set.Name) && !pinned.Contains(image.Name)))
            {
                var after = await engine.Images.UpdateAsync(
                    image.Name, now => now with { Labels = PinClaims.Release(now.Labels, _set.Name) }, null, cancellationToken).ConfigureAwait(false);
                if (!PinClaims.IsPinned(after.Labels))
                {
                    released.Add(image.Name);
                }
            }
        }, cancellationToken).ConfigureAwait(false);
        return released;
    }

    private static async Task WithEngineAsync(EngineOptions options, Func<StoreEngine, Task> work, CancellationToken cancellationToken)
    {
        var engine = await StoreEngine.OpenAsync(options, cancellationToken).ConfigureAwait(false);
        await using var closing = engine.ConfigureAwait(false);
        await work(engine).ConfigureAwait(false);
    }
}
