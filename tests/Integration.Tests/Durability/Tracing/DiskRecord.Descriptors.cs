using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <content>Calls that make descriptors, and those that move in files without changing them.</content>
internal sealed partial class DiskRecord
{
    private bool TakeDescriptor(TracedCall call, IReadOnlyList<string> args)
    {
        switch (call.Name)
        {
            case "open":
                OpenAt(call, null, args[0], args[1], args.ElementAtOrDefault(2));
                return true;
            case "creat":
                OpenAt(call, null, args[0], "O_WRONLY|O_CREAT|O_TRUNC", args[1]);
                return true;
            case "openat":
                OpenAt(call, Folder(args[0]), args[1], args[2], args.ElementAtOrDefault(3));
                return true;
            case "openat2":
                var mode = StraceArguments.Field(args[2], "mode");
                OpenAt(call, Folder(args[0]), args[1], StraceArguments.Field(args[2], "flags"), mode.Length == 0 ? null : mode);
                return true;
            case "dup" or "dup2" or "dup3":
            case "fcntl" when args[1].StartsWith("F_DUPFD", StringComparison.Ordinal):
                _paths.Set(call.Result!.Value, _paths.Open(args[0]));
                return true;
            case "read" or "readv" when _paths.Open(args[0]) is { } read:
                read.Position += call.Result!.Value;
                return true;
            case "lseek" when _paths.Open(args[0]) is { } sought:
                sought.Position = call.Result!.Value;
                return true;
            default:
                return false;
        }
    }

    private void OpenAt(TracedCall call, string? folder, string path, string flags, string? mode)
    {
        var result = call.Result!.Value;
        _paths.Set(result, null);
        if (_paths.Find(folder, path) is not { } place)
        {
            return;
        }

        var all = flags.Split('|').ToHashSet(StringComparer.Ordinal);
        if (all.Contains("O_TMPFILE"))
        {
            throw new NotModelledException("O_TMPFILE is not modelled.");
        }

        var inode = place.Inode;
        if (inode is null)
        {
            if (all.Contains("O_RDONLY") && !all.Contains("O_DIRECTORY"))
            {
                // Another thread moved it while this one opened it; who only reads changes nothing.
                return;
            }

            if (!all.Contains("O_CREAT"))
            {
                throw new NotModelledException($"The record has no '{place.Name}' in '{place.Directory}', yet it was opened.");
            }

            inode = Create(InodeKind.File, string.Empty, place, StraceArguments.Mode(mode!) & ~_umask);
        }
        else if (inode.Kind == InodeKind.Symlink && !all.Contains("O_NOFOLLOW"))
        {
            throw new NotModelledException($"'{inode}' is a link and was followed.");
        }
        else if (all.Contains("O_TRUNC") && State[inode].Length > 0)
        {
            Do(new LengthChange(_call.Entered, _call.Left, inode, 0));
        }

        _paths.Set(result, new OpenFile(inode, all.Contains("O_APPEND")));
    }
}
