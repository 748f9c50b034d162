using System.Runtime.InteropServices;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Mounts an overlay whose options do not fit into the page that mount(2) takes.</summary>
internal static class LongOverlayMount
{
    private const string LowerPrefix = "lowerdir=";

    /// <summary>Mounts and returns 0, or the error number of the way that came furthest.</summary>
    public static int Mount(string source, string target, MountOptions options)
    {
        // Layer by layer needs Linux 6.5 and paths below 256 bytes; short relative names need only fewer layers.
        var errno = MountLayerByLayer(source, target, options);
        return errno == 0 ? 0 : MountRelative(source, target, options);
    }

    internal static int MountLayerByLayer(string source, string target, MountOptions options)
    {
        var context = MountSyscalls.FsOpen("overlay");
        if (context < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        try
        {
            if (MountSyscalls.FsConfigString(context, "source", source) != 0
                || !options.Data.All(option => Configure(context, option))
                || MountSyscalls.FsConfigCreate(context) != 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            var mount = MountSyscalls.FsMount(context, options.Attributes);
            if (mount < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            var moved = MountSyscalls.MoveMount(mount, target);
            var errno = moved == 0 ? 0 : Marshal.GetLastPInvokeError();
            _ = MountSyscalls.Close((int)mount);
            return errno;
        }
        finally
        {
            _ = MountSyscalls.Close((int)context);
        }
    }

    internal static int MountRelative(string source, string target, MountOptions options)
    {
        var lowers = Lowers(options);
        var common = CommonDirectory(lowers);
        var data = string.Join(',', options.Data.Select(option => option.StartsWith(LowerPrefix, StringComparison.Ordinal)
            ? LowerPrefix + string.Join(':', lowers.Select(lower => Path.GetRelativePath(common, lower)))
            : option));
        var errno = 0;
        // The working directory belongs to the process; a thread of its own can leave that behind.
        var thread = new Thread(() =>
        {
            var failed = MountSyscalls.UnshareWorkingDirectory() != 0
                || MountSyscalls.ChangeDirectory(common) != 0
                || MountSyscalls.Mount(source, target, "overlay", options.Flags, data) != 0;
            errno = failed ? Marshal.GetLastPInvokeError() : 0;
        });
        thread.Start();
        thread.Join();
        return errno;
    }

    private static bool Configure(nint context, string option)
    {
        if (option.StartsWith(LowerPrefix, StringComparison.Ordinal))
        {
            return option[LowerPrefix.Length..].Split(':')
                .All(lower => MountSyscalls.FsConfigString(context, "lowerdir+", lower) == 0);
        }

        var equals = option.IndexOf('=', StringComparison.Ordinal);
        return equals < 0
            ? MountSyscalls.FsConfigFlag(context, option) == 0
            : MountSyscalls.FsConfigString(context, option[..equals], option[(equals + 1)..]) == 0;
    }

    private static string[] Lowers(MountOptions options) =>
        options.Data.FirstOrDefault(option => option.StartsWith(LowerPrefix, StringComparison.Ordinal))
            ?[LowerPrefix.Length..].Split(':') ?? [];

    internal static string CommonDirectory(string[] paths)
    {
        var common = paths.Length == 0 ? "/" : Path.GetDirectoryName(paths[0]) ?? "/";
        while (common != "/" && !paths.All(path => path.StartsWith(common + "/", StringComparison.Ordinal)))
        {
            common = Path.GetDirectoryName(common) ?? "/";
        }

        return common;
    }
}
