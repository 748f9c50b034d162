using System.Globalization;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>Turns the calls of traced programs into what they did to a disk.</summary>
/// <remarks>Files are known by their inode, whatever they are called; programs may follow each other on the same disk.</remarks>
internal sealed partial class DiskRecord
{
    private const string WorkingDirectory = "AT_FDCWD";

    private readonly PathWalk _paths;
    private readonly List<DiskOperation> _operations;
    private readonly string _owner;
    private readonly int _umask;
    private TracedCall _call = new(string.Empty, [], 0);
    private int _clock;

    /// <summary>Begins a record.</summary>
    /// <param name="scope">The directory that the disk's root stands for.</param>
    /// <param name="state">The disk before; it is changed as the programs change it.</param>
    /// <param name="owner">Whose the files are that the programs make, as <c>uid:gid</c>.</param>
    /// <param name="past">What was done before to come to that state.</param>
    public DiskRecord(string scope, DiskState state, string owner, params IReadOnlyList<DiskOperation> past)
    {
        (State, _paths, _operations) = (state, new PathWalk(scope, state), [.. past]);
        (_owner, _umask) = (owner, Kernel.Umask);
        _clock = past.Count == 0 ? 0 : past[^1].Left + 1;
    }

    /// <summary>The disk as processes see it.</summary>
    public DiskState State { get; }

    /// <summary>All that was done, the past too, in the order in which the calls ended.</summary>
    public IReadOnlyList<DiskOperation> Operations => _operations;

    /// <summary>Takes what one program did from its start to its end.</summary>
    public void Add(IReadOnlyList<TraceEvent> events)
    {
        foreach (var (call, isEnd) in events)
        {
            _call = call with { Entered = _clock + call.Entered, Left = _clock + call.Left };

            // Another thread may get the number of a descriptor before the end of its closing is told.
            if (call.Name == "close" ? !isEnd : isEnd && call.Result is not null)
            {
                Take(call);
            }
        }

        _clock += events.Count;
        _paths.Clear();
    }

    private void Take(TracedCall call)
    {
        var args = call.Arguments;
        switch (call.Name)
        {
            case "close":
                _paths.Set(StraceArguments.Descriptor(args[0]), null);
                break;
            case "fsync" or "fdatasync" when _paths.Open(args[0]) is { } file:
                Do(new InodeSync(_call.Entered, _call.Left, file.Inode, call.Name == "fsync", !call.Succeeded));
                break;
            case "syncfs" when _paths.Open(args[0]) is not null:
                Do(new WholeSync(_call.Entered, _call.Left, !call.Succeeded));
                break;
            case "sync":
                Do(new WholeSync(_call.Entered, _call.Left, Failed: false));
                break;
            default:
                if (call.Succeeded)
                {
                    TakeSuccess(call, args);
                }

                break;
        }
    }

    private void TakeSuccess(TracedCall call, IReadOnlyList<string> args)
    {
        if (TakeDescriptor(call, args) || TakeName(call.Name, args) || TakeBytes(call, args) || TakeAttribute(call.Name, args))
        {
            return;
        }

        switch (call.Name)
        {
            case "mount" when args[2].Contains('"', StringComparison.Ordinal):
                Mount(args);
                break;
            case "umount2" when _paths.Find(null, args[0]) is { Inode: { } target }:
                _paths.UnmarkForeign(target);
                break;
            case "mmap" when args[3].Contains("MAP_SHARED", StringComparison.Ordinal)
                && args[2].Contains("PROT_WRITE", StringComparison.Ordinal) && _paths.Open(args[4]) is not null:
            case "copy_file_range" or "sendfile" or "splice" when call.Result > 0 && _paths.Open(args[call.Name == "sendfile" ? 0 : 2]) is not null:
            case "io_uring_setup" or "fork" or "vfork" or "msync" or "close_range":
            case "clone" or "clone3" when !string.Concat(args).Contains("CLONE_THREAD", StringComparison.Ordinal):
            case "chdir" or "fchdir":
                throw new NotModelledException($"{call.Name} is not modelled.");
            default:
                // Reads, and what happens outside the recorded disk.
                break;
        }
    }

    /// <summary>overlayfs covers one directory, and writes into two others by itself.</summary>
    private void Mount(IReadOnlyList<string> args)
    {
        if (_paths.Find(null, args[1]) is { Inode: { } target })
        {
            _paths.MarkForeign(target);
        }

        var options = args[4].StartsWith('"') ? StraceArguments.Text(args[4]).TrimEnd('\0') : string.Empty;
        foreach (var option in options.Split(',').Select(option => option.Split('=', 2)).Where(pair => pair[0] is "upperdir" or "workdir"))
        {
            var quoted = '"' + string.Concat(System.Text.Encoding.UTF8.GetBytes(option[1]).Select(b => $"\\x{b:x2}")) + '"';
            if (_paths.Find(null, quoted) is { Inode: { } own })
            {
                _paths.MarkForeign(own);
            }
        }
    }

    private void Do(DiskOperation operation)
    {
        _operations.Add(operation);
        State.Apply(operation);
    }

    private static string? Folder(string argument) =>
        argument.StartsWith(WorkingDirectory, StringComparison.Ordinal) ? null : argument;

    private static string Octal(int mode) => Convert.ToString(mode, 8);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
