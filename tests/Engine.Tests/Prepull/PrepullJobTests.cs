using System.Diagnostics;
using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>A job that is interrupted, cancelled, out of its window or out of room.</summary>
public sealed class PrepullJobTests : PrepullTest
{
    private const string ClosedFor = "HH\\:mm";

    // Without anybody who looks at the disk, its test would wait for ever.
    private static readonly TimeSpan s_untilItHangs = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Run_AfterAnInterruption_GoesOnWithTheJob_AndAsksNothingOfWhatItHad()
    {
        Add("a", "bb");
        await InterruptAsync(Set("a", "bb"), "bb");
        Assert.Equal(JobState.Interrupted, Jobs.Find("base-1").State);
        Registry.Requests.Clear();

        var job = await RunAsync(Set("a", "bb"));

        Assert.Equal(("base-1", JobState.Done, 2), (job.Id, job.State, job.Images[1].Attempts));
        Assert.Equal([JobImageState.Done, JobImageState.Done], States(job));
        Assert.True(job.Images[0].Bytes > 0);
        Assert.DoesNotContain(Registry.Requests, request => request.Target.EndsWith("/a", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_AfterAnInterruption_BringsBackWhatWasRemovedMeanwhile()
    {
        Add("a", "bb");
        await InterruptAsync(Set("a", "bb"), "bb");
        await using (var engine = await OpenAsync())
        {
            await engine.Images.RemoveAsync(Reference("a"), Ct);
        }

        await RunAsync(Set("a", "bb"));

        await using var opened = await OpenAsync();
        Assert.Equal(2, opened.Images.List().Count);
    }

    [Fact]
    public async Task Run_AfterAnInterruptionAndAChange_BeginsAnew()
    {
        Add("a", "bb", "ccc");
        await InterruptAsync(Set("a", "bb"), "bb");

        Assert.Equal("base-2", (await RunAsync(Set("a", "ccc"))).Id);

        var before = Jobs.Find("base-1");
        Assert.Equal((JobState.Cancelled, "the set was changed"), (before.State, before.Reason));
    }

    [Fact]
    public async Task Run_BesideAnotherOfTheSameSet_SaysWhoHasIt()
    {
        Add("a");
        var (stalled, going) = Stall("a");
        var first = RunAsync(Set("a"), options: Patient());
        await stalled.Task;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => RunAsync(Set("a")));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains($"process {Environment.ProcessId}, as the job base-1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("jobs cancel base-1", failure.Remedy, StringComparison.Ordinal);
        going.SetResult();
        Assert.Equal(JobState.Done, (await first).State);
    }

    [Fact]
    public async Task Cancel_WhileAnImageIsPulled_EndsTheJob_AndTheNextRunIsANewOne()
    {
        Add("a", "bb", "ccc");
        var (stalled, going) = Stall("bb");
        var running = RunAsync(Set("a", "bb", "ccc"), options: Patient());
        await stalled.Task;

        // It may have ended by the time that the answer is made.
        Assert.Contains((await Jobs.CancelAsync("base-1", Ct)).State, (JobState[])[JobState.Running, JobState.Cancelled]);
        var job = await running;
        going.SetResult();

        Assert.Equal(JobState.Cancelled, job.State);
        Assert.Equal([JobImageState.Done, JobImageState.Pending, JobImageState.Pending], States(job));
        Assert.Equal(JobState.Cancelled, Jobs.Find("base-1").State);
        var next = await RunAsync(Set("a", "bb", "ccc"));
        Assert.Equal(("base-2", JobState.Done), (next.Id, next.State));
    }

    [Fact]
    public async Task Cancel_OfAnInterruptedJob_IsDoneAtOnce()
    {
        Add("a", "bb");
        await InterruptAsync(Set("a", "bb"), "bb");

        Assert.Equal(JobState.Cancelled, (await Jobs.CancelAsync("base-1", Ct)).State);
        Assert.Equal("base-2", (await RunAsync(Set("a", "bb"))).Id);
    }

    [Fact]
    public async Task Run_OutsideTheWindow_IsLeftWaiting_AndGoesOnWithinIt()
    {
        Add("a", "bb");
        var clock = new SettableClock(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var options = Options() with { Time = clock };
        var set = PrepullSetFile.Parse(
            $"""
            name: base
            window: {clock.GetLocalNow().AddHours(1).ToString(ClosedFor, null)}-{clock.GetLocalNow().AddHours(2).ToString(ClosedFor, null)}
            images:
              - {Reference("a")}
              - name: {Reference("bb")}
                window: none
            """,
            In("prepull.yaml"));

        var job = await ToEndAsync(RunAsync(set, options: options), clock, TimeSpan.FromMilliseconds(200));
        Assert.Equal(JobState.Waiting, job.State);
        Assert.Equal([JobImageState.Pending, JobImageState.Done], States(job));
        Assert.DoesNotContain(Registry.Requests, request => request.Target.EndsWith("/a", StringComparison.Ordinal));

        // What may be pulled at any time is looked at again, though the job waits.
        var newer = Registry.AddImage("bb", ImageBuilder.Tar("newer", 4_000));
        job = await ToEndAsync(RunAsync(set, options: options), clock, TimeSpan.FromMilliseconds(200));
        Assert.Equal(("base-1", JobState.Waiting, newer.Digest), (job.Id, job.State, job.Images[1].Digest));

        clock.Advance(TimeSpan.FromMinutes(90));
        job = await ToEndAsync(RunAsync(set, options: options), clock, TimeSpan.FromMilliseconds(200));
        Assert.Equal(("base-1", JobState.Done), (job.Id, job.State));
    }

    [Fact]
    public async Task Run_ThatWaits_BeginsWhenTheWindowOpens_AndIsCancelledBefore()
    {
        Add("a");
        var clock = new SettableClock(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var opens = clock.GetLocalNow().AddHours(1);
        var set = SetWith($"window: {opens.ToString(ClosedFor, null)}-{opens.AddHours(1).ToString(ClosedFor, null)}", "a");
        foreach (var cancel in (bool[])[true, false])
        {
            var waiting = new TaskCompletionSource<DateTimeOffset>();
            var running = RunAsync(set, new PrepullHooks { TellWait = waiting.SetResult }, Options() with { Time = clock }, wait: true);
            Assert.Equal(opens, await waiting.Task);
            if (cancel)
            {
                await Jobs.CancelAsync("base-1", Ct);
            }

            var job = await ToEndAsync(running, clock, TimeSpan.FromSeconds(cancel ? 1 : 60));
            Assert.Equal(cancel ? JobState.Cancelled : JobState.Done, job.State);
        }
    }

    [Fact]
    public async Task Run_ThatWouldTakeRoomThatHasToStay_BeginsNoDownload_AndWhatIsThereIsThere()
    {
        Add("a", "bb");
        await RunAsync(Set("a"));
        Registry.Requests.Clear();

        var job = await RunAsync(SetWith("keep-free: 99.99%", "a", "bb"));

        Assert.Equal([JobImageState.Skipped, JobImageState.Failed], States(job));
        Assert.Equal(ErrorKind.NoSpace, job.Images[1].Kind);
        Assert.Contains("have to stay", job.Images[1].Reason, StringComparison.Ordinal);
        Assert.Equal(0, RequestsFor("/blobs/"));
    }

    [Fact]
    public async Task Run_WhileTheDiskGetsFull_StopsTheImageBeforeTheLimit()
    {
        Add("a");
        Directory.CreateDirectory(Root);
        Mount("-t", "tmpfs", "-o", "size=32m", "tmpfs", Root);
        try
        {
            var stalled = StallLayer();
            var running = RunAsync(SetWith("keep-free: 16M", "a"), options: Patient());
            await stalled.Task;
            await File.WriteAllBytesAsync(Path.Combine(Root, "content/ballast"), new byte[20 << 20], Ct);

            var job = await running.WaitAsync(s_untilItHangs, Ct);
            Assert.Equal((JobState.Failed, ErrorKind.NoSpace), (job.State, job.Images[0].Kind));
            Assert.Contains("16.0 MiB have to stay", job.Images[0].Reason, StringComparison.Ordinal);
        }
        finally
        {
            Process.Start("umount", ["-l", Root]).WaitForExit();
        }
    }

    private static async Task<JobRecord> ToEndAsync(Task<JobRecord> running, SettableClock clock, TimeSpan step)
    {
        while (!running.IsCompleted)
        {
            clock.Advance(step);
            await Task.Delay(10, Ct);
        }

        return await running;
    }

    private static void Mount(params string[] arguments)
    {
        using var mount = Process.Start("mount", arguments);
        mount.WaitForExit();
        Assert.SkipUnless(mount.ExitCode == 0, "needs to mount");
    }

    // A download that stands still is to be ended by the job, and not by the client's patience.
    private EngineOptions Patient()
    {
        var options = Options();
        return options with { Registry = options.Registry with { IdleTimeout = TimeSpan.FromMinutes(5), ResponseTimeout = TimeSpan.FromMinutes(5) } };
    }

    /// <summary>Has the registry wait with its answer about a tag until it is let go on.</summary>
    private (TaskCompletionSource Stalled, TaskCompletionSource Going) Stall(string tag)
    {
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var going = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Intercept = request =>
        {
            if (request.Target.EndsWith("/" + tag, StringComparison.Ordinal))
            {
                stalled.TrySetResult();
                going.Task.Wait(Ct);
            }

            return null;
        };
        return (stalled, going);
    }

    /// <summary>Has the registry fall silent in the middle of the layer.</summary>
    private TaskCompletionSource StallLayer()
    {
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Intercept = request =>
        {
            var response = Registry.Serve(request);
            if (response.Body.Length <= 3_000 || !request.Target.Contains("/blobs/", StringComparison.Ordinal))
            {
                return null;
            }

            stalled.TrySetResult();
            return response with { StallAt = 1_000 };
        };
        return stalled;
    }

    private async Task InterruptAsync(PrepullSet set, string tag)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Registry.Intercept = request =>
        {
            if (request.Target.EndsWith("/" + tag, StringComparison.Ordinal))
            {
                stop.Cancel();
            }

            return null;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new PrepullRun(Options(), set, new PrepullHooks()).RunAsync(wait: false, stop.Token));
        Registry.Intercept = null;
    }
}
