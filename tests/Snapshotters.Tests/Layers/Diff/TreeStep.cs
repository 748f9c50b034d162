using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>One thing that is done to a tree. Where it cannot be done it does nothing, so that any steps may be left out.</summary>
internal sealed record TreeStep(string Verb, string Path, string Other, int Number)
{
    private const uint LargeId = 3_000_000_000;

    private static readonly string[] s_verbs =
    [
        "file", "file", "file", "write", "append", "folder", "folder", "remove", "remove", "rename", "rename", "symlink", "link", "link", "fifo", "device", "mode",
        "owner", "attribute", "attribute", "drop", "touch", "sparse", "socket", "swap", "same", "untouched",
    ];

    private static readonly string[] s_names =
    [
        "a", "b", "c", "d", "wh", "é", "\u00ff\u00fe", "new\nline", " ", "-x", "x=y", new('n', 100), new('m', 200), ".hidden",
    ];

    /// <summary>Folders with something in them, for others to act on.</summary>
    public static IReadOnlyList<TreeStep> Start { get; } =
    [
        new("folder", "a", "a", 1), new("folder", "b", "a", 1), new("folder", "a/b", "a", 1), new("folder", "a/a", "a", 1),
        new("file", "c", "a", 1), new("file", "a/c", "a", 2), new("file", "a/b/c", "a", 3), new("file", "a/b/b", "a", 4), new("file", "b/b", "a", 5),
    ];

    public static TreeStep Random(Random random) =>
        new(s_verbs[random.Next(s_verbs.Length)], RandomPath(random), RandomPath(random), random.Next());

    public override string ToString() => $"{Verb} {Shown(Path)} {Shown(Other)} {Number}";

    public void Do(string root)
    {
        using var top = OpenAt.HostDirectory(root);
        using var parent = Parent(top, Path);
        using var other = Parent(top, Other);
        try
        {
            if (parent is not null)
            {
                Do(top, parent, RootedPath.Name(Path[(Path.LastIndexOf('/') + 1)..]), other, RootedPath.Name(Other[(Other.LastIndexOf('/') + 1)..]));
            }
        }
        catch (ImageStoreException refused) when (refused.Kind is not (ErrorKind.NoSpace or ErrorKind.Unsupported))
        {
            // A name that is missing or taken, or a directory that is not empty.
        }
    }

    private void Do(SafeFileHandle top, SafeFileHandle parent, byte[] name, SafeFileHandle? other, byte[] second)
    {
        var old = FileMetadata.TryGet(parent, name);
        switch (Verb)
        {
            case "file": Create(parent, name, Number % 5000, 0); break;
            case "sparse": Create(parent, name, 300, 500_000 + Number % 1000); break;
            case "write" when old is { IsRegular: true }: Overwrite(parent, name, 0); break;
            case "append" when old is { IsRegular: true } file: Overwrite(parent, name, file.Size); break;
            case "folder": NameAt.MakeDirectory(parent, name, 0x1ED, Verb); break;
            case "remove" when old is not null: TreeRemover.Remove(parent, name, Verb); break;
            case "rename" when other is not null: NameAt.Move(parent, name, other, second, Verb); break;
            case "symlink": NameAt.MakeSymlink(parent, name, second, Verb); break;
            case "link" when other is not null: NameAt.Link(parent, name, other, second, Verb); break;
            case "fifo": NameAt.MakeNode(parent, name, 0x1000 | 0x180, 0, 0, Verb); break;
            case "device": NameAt.MakeNode(parent, name, (Number % 2 == 0 ? 0x2000U : 0x6000U) | 0x1B0, 1 + (uint)Number % 4000, (uint)Number % 1000000, Verb); break;
            case "mode" when old is { IsSymlink: false }:
                Change(parent, name, inode => InodeChange.Permit(inode, (uint)Number % 0x1000, Verb));
                break;
            case "owner" when old is not null:
                Change(parent, name, inode => InodeChange.Own(inode, Number % 3 == 0 ? LargeId : (uint)(Number % 2000), (uint)(Number % 7), Verb));
                break;
            case "attribute" when old is { } target: SetAttribute(parent, name, target); break;
            case "drop" when old is not null: Xattr.Remove(parent, name, AttributeName(old.Value), Verb); break;
            case "touch" when old is not null: Change(parent, name, Touch); break;
            case "socket" when old is null: Listen(parent, name); break;
            case "swap" when old is { } gone:
                TreeRemover.Remove(parent, name, Verb);
                if (gone.IsDirectory)
                {
                    Create(parent, name, 10, 0);
                }
                else
                {
                    NameAt.MakeDirectory(parent, name, 0x1ED, Verb);
                }

                break;
            case "same" when old is { IsDirectory: true }:
                TreeRemover.Remove(parent, name, Verb);
                NameAt.MakeDirectory(parent, name, 0x1ED, Verb);
                using (var made = OpenAt.Directory(parent, name)!)
                {
                    Create(made, "a\0"u8.ToArray(), 50, 0);
                }

                break;
            case "untouched" when old is { IsRegular: true } before:
                // An overlay copies it up for nothing, or what is written leaves no trace but the bytes.
                var read = OpenAt.Read(parent, name)!;
                var bytes = new byte[before.Size];
                RandomAccess.Read(read, bytes, 0);
                read.Dispose();
                using (var written = Writable(parent, name))
                {
                    if (Number % 2 == 0 && bytes.Length > 0)
                    {
                        bytes[0] ^= 1;
                    }

                    FileData.Write(written, bytes, 0, Verb);
                    InodeChange.Touch(written, before.Seconds, Number % 3 == 0 ? 0 : before.Nanoseconds, Verb);
                }

                break;
        }
    }

    private void Create(SafeFileHandle parent, byte[] name, int size, long hole)
    {
        using var file = OpenAt.CreateNew(parent, name, 0x1A4);
        if (file is not null)
        {
            FileData.Write(file, Bytes(size), hole, Verb);
            if (Number % 2 == 0 && hole > 0)
            {
                FileData.SetSize(file, hole * 2, Verb);
            }
        }
    }

    private void Overwrite(SafeFileHandle parent, byte[] name, long at)
    {
        using var file = Writable(parent, name);
        FileData.Write(file, Bytes(20), at, Verb);
    }

    // .NET cannot name what is no UTF-8, the kernel's link to an open file can.
    private static SafeFileHandle Writable(SafeFileHandle parent, byte[] name)
    {
        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last("open");
        return File.OpenHandle(
            string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{inode.DangerousGetHandle()}"), FileMode.Open, FileAccess.ReadWrite);
    }

    private byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(Number).NextBytes(bytes);
        return bytes;
    }

    private void SetAttribute(SafeFileHandle parent, byte[] name, FileMetadata target)
    {
        var value = target.IsRegular && Number % 4 == 0
            ? [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            : Bytes(Number % 40);
        Xattr.Set(parent, name, AttributeName(target), value, Verb);
    }

    private byte[] AttributeName(FileMetadata target) =>
        target.IsRegular && Number % 4 == 0 ? "security.capability\0"u8.ToArray()
        : target.IsRegular || target.IsDirectory ? RootedPath.Name($"user.k{Number % 3}")
        : RootedPath.Name($"trusted.k{Number % 3}");

    private void Touch(SafeFileHandle inode)
    {
        var seconds = (Number % 4) switch { 0 => -5L, 1 => 0, 2 => 9_000_000_000, _ => Number % 1_000_000_000L };
        InodeChange.Touch(inode, seconds, Number % 2 == 0 ? 0 : (uint)(Number % 1_000_000_000), Verb);
    }

    private static void Listen(SafeFileHandle parent, byte[] name)
    {
        // Linux has no call that makes a socket by a handle, and a path of it has 108 bytes at most.
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{parent.DangerousGetHandle()}/") + Encoding.UTF8.GetString(name)[..^1];
        if (path.Length < 90)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(path));
        }
    }

    private void Change(SafeFileHandle parent, byte[] name, Action<SafeFileHandle> change)
    {
        using var inode = OpenAt.Inode(parent, name) ?? throw KernelError.Last(Verb);
        change(inode);
    }

    private static SafeFileHandle? Parent(SafeFileHandle top, string path)
    {
        var slash = path.LastIndexOf('/');
        return OpenAt.Directory(top, RootedPath.Name(slash < 0 ? "." : path[..slash]));
    }

    // Few names, so that steps meet.
    private static string RandomPath(Random random) =>
        string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_names[random.Next(5) > 0 ? random.Next(3) : random.Next(s_names.Length)]));

    private static string Shown(string path) => path.Replace("\n", "\\n", StringComparison.Ordinal);
}
