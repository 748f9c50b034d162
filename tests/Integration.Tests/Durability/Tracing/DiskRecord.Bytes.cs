using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <content>Calls that change contents and sizes.</content>
internal sealed partial class DiskRecord
{
    private bool TakeBytes(TracedCall call, IReadOnlyList<string> args)
    {
        switch (call.Name)
        {
            case "write" or "writev" when _paths.Open(args[0]) is { } file:
                var start = file.Append ? State[file.Inode].Length : file.Position;
                Write(call, file, call.Name == "write" ? StraceArguments.Bytes(args[1]) : StraceArguments.Vector(args[1]), start);
                file.Position = start + call.Result!.Value;
                return true;
            case "pwrite64" when _paths.Open(args[0]) is { } file:
                Write(call, file, StraceArguments.Bytes(args[1]), StraceArguments.Number(args[3]));
                return true;
            case "pwritev" or "pwritev2" when _paths.Open(args[0]) is { } file:
                Write(call, file, StraceArguments.Vector(args[1]), StraceArguments.Number(args[3]));
                return true;
            case "ftruncate" when _paths.Open(args[0]) is { } file:
                SetLength(file.Inode, StraceArguments.Number(args[1]));
                return true;
            case "truncate" when _paths.Find(null, args[0]) is { Inode: { } inode }:
                SetLength(inode, StraceArguments.Number(args[1]));
                return true;
            case "fallocate" when _paths.Open(args[0]) is { } file:
                Allocate(file.Inode, args);
                return true;
            default:
                return false;
        }
    }

    private void Write(TracedCall call, OpenFile file, byte[] bytes, long offset)
    {
        var written = bytes.AsSpan(0, (int)Math.Min(bytes.Length, call.Result!.Value)).ToArray();
        if (written.Length > 0)
        {
            Do(new FileWrite(_call.Entered, _call.Left, file.Inode, offset, written));
        }
    }

    private void SetLength(Inode inode, long length)
    {
        if (State[inode].Length != length)
        {
            Do(new LengthChange(_call.Entered, _call.Left, inode, length));
        }
    }

    private void Allocate(Inode inode, IReadOnlyList<string> args)
    {
        switch (args[1])
        {
            case "0":
                SetLength(inode, Math.Max(State[inode].Length, StraceArguments.Number(args[2]) + StraceArguments.Number(args[3])));
                break;
            case "FALLOC_FL_KEEP_SIZE":
                break;
            default:
                throw new NotModelledException($"fallocate with {args[1]} is not modelled.");
        }
    }
}
