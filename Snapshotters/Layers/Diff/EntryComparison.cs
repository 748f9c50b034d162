using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Tells whether an entry is the same in two trees.</summary>
/// <remarks>
/// Times count in nanoseconds, since a layer holds them. Two files of which all that agrees are read: who sets a time back, as
/// builds that are to be reproducible do, changes the bytes all the same. (containerd reads them only where the time has no fraction.)
/// </remarks>
/// <param name="readsBytes">Else what agrees but for its bytes counts as the same.</param>
/// <param name="cancellationToken">Cancels between pieces of a file.</param>
internal sealed class EntryComparison(bool readsBytes, CancellationToken cancellationToken)
{
    private const int BufferBytes = 256 * 1024;

    private readonly byte[] _left = new byte[BufferBytes];
    private readonly byte[] _right = new byte[BufferBytes];

    public bool AreSame(in FoundEntry left, in FoundEntry right, string path)
    {
        var (a, b) = (left.Status, right.Status);
        if (a.IsSameFile(b))
        {
            return true;
        }

        return a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid
            && (a.ModifyTime.Seconds, a.ModifyTime.Nanoseconds) == (b.ModifyTime.Seconds, b.ModifyTime.Nanoseconds)
            && (!left.IsDevice || (a.RdevMajor, a.RdevMinor) == (b.RdevMajor, b.RdevMinor))
            && (!left.IsRegular || a.Size == b.Size)
            && (!left.IsSymlink || Target(left, path).AsSpan().SequenceEqual(Target(right, path)))
            && EntryAttributes.AreSame(left, right)
            && (!left.IsRegular || !readsBytes || HaveSameBytes(left, right, path));
    }

    public static byte[] Target(in FoundEntry link, string path) => NameAt.ReadLink(link.Parent, link.Name, LayerFault.Show(path));

    private bool HaveSameBytes(in FoundEntry left, in FoundEntry right, string path)
    {
        using var a = EntryFile.Open(left, path);
        using var b = EntryFile.Open(right, path);
        for (var offset = 0L; ; )
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (some, others) = (EntryFile.Read(a, _left, offset, path), EntryFile.Read(b, _right, offset, path));
            if (some != others || !_left.AsSpan(0, some).SequenceEqual(_right.AsSpan(0, others)))
            {
                return false;
            }

            if (some == 0)
            {
                return true;
            }

            offset += some;
        }
    }
}
