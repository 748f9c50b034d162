using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <content>Calls that change modes, owners, times and extended attributes.</content>
internal sealed partial class DiskRecord
{
    private bool TakeAttribute(string name, IReadOnlyList<string> args)
    {
        switch (name)
        {
            case "chmod":
                Set(_paths.Find(null, args[0])?.Inode, InodeState.Mode, Octal(StraceArguments.Mode(args[1])));
                return true;
            case "fchmod":
                Set(_paths.Open(args[0])?.Inode, InodeState.Mode, Octal(StraceArguments.Mode(args[1])));
                return true;
            case "fchmodat" or "fchmodat2":
                Set(_paths.Find(Folder(args[0]), args[1])?.Inode, InodeState.Mode, Octal(StraceArguments.Mode(args[2])));
                return true;
            case "chown" or "lchown":
                Own(_paths.Find(null, args[0])?.Inode, args[1], args[2]);
                return true;
            case "fchown":
                Own(_paths.Open(args[0])?.Inode, args[1], args[2]);
                return true;
            case "fchownat":
                Own(_paths.Find(Folder(args[0]), args[1])?.Inode, args[2], args[3]);
                return true;
            case "utimensat":
                var inode = args[1] == "NULL" ? _paths.Open(args[0])?.Inode : _paths.Find(Folder(args[0]), args[1])?.Inode;
                Set(inode, InodeState.Time, ModificationTime(args[2]));
                return true;
            case "utime" or "utimes" or "futimesat":
                throw new NotModelledException($"{name} is not modelled.");
            case "setxattr" or "lsetxattr":
                SetXattr(_paths.Find(null, args[0])?.Inode, args);
                return true;
            case "fsetxattr":
                SetXattr(_paths.Open(args[0])?.Inode, args);
                return true;
            case "removexattr" or "lremovexattr":
                Set(_paths.Find(null, args[0])?.Inode, InodeState.XattrPrefix + StraceArguments.Text(args[1]), null);
                return true;
            case "fremovexattr":
                Set(_paths.Open(args[0])?.Inode, InodeState.XattrPrefix + StraceArguments.Text(args[1]), null);
                return true;
            default:
                return false;
        }
    }

    private void Set(Inode? inode, string key, string? value)
    {
        if (inode is not null)
        {
            Do(new AttributeChange(_call.Entered, _call.Left, inode, key, value));
        }
    }

    private void SetXattr(Inode? inode, IReadOnlyList<string> args) =>
        Set(inode, InodeState.XattrPrefix + StraceArguments.Text(args[1]), Convert.ToHexStringLower(StraceArguments.Bytes(args[2])));

    private void Own(Inode? inode, string user, string group)
    {
        if (inode is not null)
        {
            var now = State[inode].Attributes[InodeState.Owner].Split(':');
            Set(inode, InodeState.Owner, $"{(user == "-1" ? now[0] : user)}:{(group == "-1" ? now[1] : group)}");
        }
    }

    /// <summary>The second of the two times, or null when it is now.</summary>
    private static string? ModificationTime(string times)
    {
        var second = times.IndexOf("tv_sec=", times.IndexOf("tv_sec=", StringComparison.Ordinal) + 1, StringComparison.Ordinal);
        var nanoseconds = second < 0 ? "UTIME_NOW" : StraceArguments.Field(times, "tv_nsec", second);
        return nanoseconds switch
        {
            "UTIME_NOW" => null,
            "UTIME_OMIT" => throw new NotModelledException("A change of the access time alone is not modelled."),
            _ => Invariant($"{StraceArguments.Field(times, "tv_sec", second)}.{long.Parse(nanoseconds):D9}"),
        };
    }
}
