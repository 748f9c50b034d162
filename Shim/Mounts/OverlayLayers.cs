using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Mounts;

/// <summary>Mounts an overlay whose options are longer than the page that mount(2) takes.</summary>
internal static class OverlayLayers
{
    private const string Lower = "lowerdir=";
    private const ulong AttributeReadOnly = 1;

    /// <summary>Mounts it; 0, or the kernel's number.</summary>
    public static int Mount(string source, string target, MountOptions options)
    {
        // Layer by layer needs Linux 6.5; names below a common directory are shorter, and no more than that.
        return MountOneByOne(source, target, options) == 0 ? 0 : MountBelow(source, target, options);
    }

    internal static int MountOneByOne(string source, string target, MountOptions options)
    {
        var context = MountCalls.OpenFileSystem("overlay");
        if (context < 0)
        {
            return Errno.Last;
        }

        using var own = new Microsoft.Win32.SafeHandles.SafeFileHandle(context, true);
        if (MountCalls.Configure(context, MountCalls.ConfigureString, "source", source) != 0
            || !options.Data.All(option => TryConfigure(context, option))
            || MountCalls.Configure(context, MountCalls.ConfigureCreate, null, null) != 0)
        {
            return Errno.Last;
        }

        var made = MountCalls.MakeMount(context, Attributes(options.Flags));
        if (made < 0)
        {
            return Errno.Last;
        }

        using var mount = new Microsoft.Win32.SafeHandles.SafeFileHandle(made, true);
        return MountCalls.MoveMount(made, target) == 0 ? 0 : Errno.Last;
    }

    internal static int MountBelow(string source, string target, MountOptions options)
    {
        var lowers = options.Data.FirstOrDefault(IsLower)?[Lower.Length..].Split(':') ?? [];
        var common = CommonDirectory(lowers);
        var data = new MountData(options.Data.Select(option => IsLower(option)
            ? Lower + string.Join(':', lowers.Select(lower => Path.GetRelativePath(common, lower)))
            : option)).Checked();

        // The shim has one thread, and names everything by whole paths: nobody sees it stand elsewhere meanwhile. Where it stands may have
        // no path any more: the bundle of a group's first container.
        using var here = Descriptors.Open(".", Descriptors.PathOnly);
        if (MountCalls.ChangeDirectory(common) != 0)
        {
            return Errno.Last;
        }

        var error = MountCalls.Mount(source, target, "overlay", options.Flags, data) == 0 ? 0 : Errno.Last;
        _ = Descriptors.Enter(here);
        return error;
    }

    /// <summary>The deepest directory that has them all below it.</summary>
    internal static string CommonDirectory(IReadOnlyList<string> paths)
    {
        var common = paths.Count > 0 ? Path.GetDirectoryName(paths[0]) ?? "/" : "/";
        while (common != "/" && !paths.All(path => path.StartsWith(common + "/", StringComparison.Ordinal)))
        {
            common = Path.GetDirectoryName(common) ?? "/";
        }

        return common;
    }

    private static bool TryConfigure(nint context, string option)
    {
        if (IsLower(option))
        {
            return option[Lower.Length..].Split(':').All(lower => MountCalls.Configure(context, MountCalls.ConfigureString, "lowerdir+", lower) == 0);
        }

        var equals = option.IndexOf('=', StringComparison.Ordinal);
        return (equals < 0
            ? MountCalls.Configure(context, MountCalls.ConfigureFlag, option, null)
            : MountCalls.Configure(context, MountCalls.ConfigureString, option[..equals], option[(equals + 1)..])) == 0;
    }

    // The first four flags of mount(2) are the same attributes; an overlay has little use for others.
    private static ulong Attributes(ulong flags) => flags & (AttributeReadOnly | 2 | 4 | 8);

    private static bool IsLower(string option) => option.StartsWith(Lower, StringComparison.Ordinal);
}
