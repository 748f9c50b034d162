using System.Globalization;
using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Cgroups;

/// <summary>Hears of processes that the kernel kills for want of memory, until it is disposed of.</summary>
internal sealed class OomWatch : IDisposable
{
    private const int PieceBytes = 4096;

    private readonly Watch _watch;
    private readonly Action _told;
    private readonly bool _isCounted;

    private OomWatch(Watch watch, Action told, bool isCounted)
    {
        (_watch, _told, _isCounted) = (watch, told, isCounted);
        _ = FollowAsync();
    }

    /// <summary>Version 1: an eventfd that is registered for <c>memory.oom_control</c>. It is told of the cgroup's end as well.</summary>
    public static OomWatch? OfV1(EventLoop loop, string folder, Action happened) => Begin(
        loop, folder, "memory.oom_control",
        () =>
        {
            var counter = Notices.Counter();
            using var control = Descriptors.Open(Path.Combine(folder, "memory.oom_control"), Descriptors.ReadOnly);
            using var registry = Descriptors.Open(Path.Combine(folder, "cgroup.event_control"), Descriptors.WriteOnly);
            var line = string.Create(CultureInfo.InvariantCulture, $"{counter.DangerousGetHandle()} {control.DangerousGetHandle()}");
            return Descriptors.Write(registry, Encoding.ASCII.GetBytes(line)) > 0 ? counter : throw Errno.Failure("Watching memory.oom_control");
        },
        () =>
        {
            if (File.Exists(Path.Combine(folder, "memory.oom_control")))
            {
                happened();
            }
        },
        isCounted: false);

    /// <summary>Version 2: <c>memory.events</c>, which is changed for other things too.</summary>
    public static OomWatch? OfV2(EventLoop loop, string folder, Action happened)
    {
        ulong Kills() => CgroupFile.Pairs(folder, "memory.events").GetValueOrDefault("oom_kill");
        var seen = Kills();
        return Begin(
            loop, folder, "memory.events",
            () => Notices.ChangesOf(Path.Combine(folder, "memory.events")),
            () =>
            {
                var kills = Kills();
                if (kills > seen)
                {
                    happened();
                }

                seen = kills;
            },
            isCounted: true);
    }

    /// <summary>Tells of what has happened by now: the kernel counts before it kills, and the loop may hear of the end first.</summary>
    public void Look()
    {
        if (_isCounted)
        {
            // Of version 2 the kernel tells later than it counts.
            _told();
        }

        var piece = new byte[PieceBytes];
        while (!_watch.File.IsClosed && Descriptors.Read(_watch.File, piece) > 0)
        {
            _told();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private static OomWatch? Begin(EventLoop loop, string folder, string file, Func<SafeFileHandle> open, Action told, bool isCounted)
    {
        try
        {
            return new OomWatch(loop.Add(open()), told, isCounted);
        }
        catch (ImageStoreException refused)
        {
            ShimLog.Warning($"Nothing will be told of memory that runs out in {folder}: {file} cannot be watched: {refused.Message}");
            return null;
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                await _watch.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            // It is not watched any more.
        }
    }
}
