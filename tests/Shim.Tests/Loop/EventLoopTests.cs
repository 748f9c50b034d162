using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Tests.Loop;

public sealed class EventLoopTests
{
    [Fact]
    public void Run_WhatWaits_GoesOnWhereItIs()
    {
        using var loop = new EventLoop();
        var thread = Environment.CurrentManagedThreadId;
        var (read, write) = Descriptors.Pipe();
        using var source = loop.Add(read);
        loop.Run(BothAsync());

        async Task BothAsync()
        {
            var reading = ReadAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(20), loop.Time).ConfigureAwait(false);
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            Assert.Equal(1, Descriptors.Write(write, [42]));
            Assert.Equal(42, await reading.ConfigureAwait(false));
            write.Dispose();
            Assert.Equal(-1, await ReadAsync().ConfigureAwait(false));
        }

        async Task<int> ReadAsync()
        {
            var one = new byte[1];
            while (true)
            {
                var count = Descriptors.Read(source.File, one);
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                if (count >= 0)
                {
                    return count == 0 ? -1 : one[0];
                }

                await source.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    [Fact]
    public void Timers_RunInTheirOrder_AndNotWhenTheyWereStopped()
    {
        using var loop = new EventLoop();
        var seen = new List<int>();
        loop.Time.CreateTimer(_ => seen.Add(2), null, TimeSpan.FromMilliseconds(30), Timeout.InfiniteTimeSpan);
        loop.Time.CreateTimer(_ => seen.Add(1), null, TimeSpan.FromMilliseconds(10), Timeout.InfiniteTimeSpan);
        loop.Time.CreateTimer(_ => seen.Add(9), null, TimeSpan.FromMilliseconds(20), Timeout.InfiniteTimeSpan).Dispose();
        loop.Run(Task.Delay(TimeSpan.FromMilliseconds(60), loop.Time));
        Assert.Equal([1, 2], seen);
    }

    [Fact]
    public void Disposal_OfAWatch_CancelsWhoWaits()
    {
        using var loop = new EventLoop();
        var (read, write) = Descriptors.Pipe();
        using (write)
        {
            var watch = loop.Add(read);
            var waiting = watch.ReadableAsync(CancellationToken.None);
            watch.Dispose();
            Assert.True(waiting.IsCanceled);
            Assert.True(watch.ReadableAsync(CancellationToken.None).IsCanceled);
        }
    }

    [Fact]
    public void Gate_LetsInByTurns_AndPassesOverWhoGaveUp()
    {
        using var loop = new EventLoop();
        var gate = new Gate(loop);
        loop.Run(InTurnAsync());

        async Task InTurnAsync()
        {
            using var impatient = new CancellationTokenSource();
            var first = gate.EnterAsync(CancellationToken.None);
            var second = gate.EnterAsync(impatient.Token);
            var third = gate.EnterAsync(CancellationToken.None);
            impatient.Cancel();
            Assert.Equal((true, true, false), (first.IsCompletedSuccessfully, second.IsCanceled, third.IsCompleted));
            (await first.ConfigureAwait(false)).Dispose();
            (await third.ConfigureAwait(false)).Dispose();
            Assert.True(gate.EnterAsync(CancellationToken.None).IsCompletedSuccessfully);
        }
    }

    [Fact]
    public void Gate_OfManyWhoWait_LetsEachInOnAStackOfItsOwn()
    {
        using var loop = new EventLoop();
        var gate = new Gate(loop);
        loop.Run(AllAsync());

        // Were each let in by the one before it, the last would be deeper than any stack.
        async Task AllAsync()
        {
            var first = await gate.EnterAsync(CancellationToken.None).ConfigureAwait(false);
            var passing = Task.WhenAll(Enumerable.Range(0, 20_000).Select(_ => PassAsync()).ToList());
            first.Dispose();
            await passing.ConfigureAwait(false);
        }

        async Task PassAsync()
        {
            using var pass = await gate.EnterAsync(CancellationToken.None).ConfigureAwait(false);
            loop.Check();
        }
    }

    [Fact]
    public void Timer_ThatFails_LeavesTheLoopAlone()
    {
        using var loop = new EventLoop();
        loop.Time.CreateTimer(_ => throw new IOException("no descriptor is free"), null, TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        loop.Run(Task.Delay(TimeSpan.FromMilliseconds(20), loop.Time));
    }

    [Fact]
    public void Timer_OfATokenThatGetsItsTimeLater_RunsOnTheLoop()
    {
        using var loop = new EventLoop();
        using var source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, loop.Time);
        var ended = new TaskCompletionSource();
        using var registration = source.Token.UnsafeRegister(
            _ =>
            {
                loop.Check();
                ended.SetResult();
            },
            null);
        source.CancelAfter(TimeSpan.FromMilliseconds(5));
        loop.Run(ended.Task);
        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public void Watch_WhoGivesUpWaiting_LeavesOthersAndTheNext()
    {
        using var loop = new EventLoop();
        var (read, write) = Descriptors.Pipe();
        using var source = loop.Add(read);
        using var impatient = new CancellationTokenSource();
        var patient = source.ReadableAsync(CancellationToken.None);
        var other = source.ReadableAsync(impatient.Token);
        impatient.Cancel();
        Assert.Equal((false, true), (patient.IsCompleted, other.IsCanceled));
        Assert.False(source.ReadableAsync(CancellationToken.None).IsCompleted);
        using (write)
        {
            Descriptors.Write(write, [1]);
            loop.Run(patient);
        }
    }
}
