using System.Globalization;
using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Cgroups;

/// <summary>Hears of processes that the kernel kills for want of memory.</summary>
internal static class OomWatch
{
    private const int PieceBytes = 4096;

    /// <summary>Version 1: an eventfd that is registered for <c>memory.oom_control</c>. It is told of the cgroup's end as well.</summary>
    public static IDisposable? OfV1(EventLoop loop, string folder, Action happened) => Begin(
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
        });

    /// <summary>Version 2: <c>memory.events</c>, which is changed for other things too.</summary>
    public static IDisposable? OfV2(EventLoop loop, string folder, Action happened)
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
            });
    }

    private static Watch? Begin(EventLoop loop, string folder, string file, Func<SafeFileHandle> open, Action told)
    {
        try
        {
            var watch = loop.Add(open());
            _ = FollowAsync(watch, told);
            return watch;
        }
        catch (ImageStoreException refused)
        {
            ShimLog.Warning($"Nothing will be told of memory that runs out in {folder}: {file} cannot be watched: {refused.Message}");
            return null;
        }
    }

    private static async Task FollowAsync(Watch watch, Action told)
    {
        var piece = new byte[PieceBytes];
        try
        {
            while (true)
            {
                await watch.ReadableAsync(CancellationToken.None).ConfigureAwait(false);
                while (!watch.File.IsClosed && Descriptors.Read(watch.File, piece) > 0)
                {
                    told();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is not watched any more.
        }
    }
}
