using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Copies one file of a lower layer's image into another image.</summary>
internal static class ImageCopy
{
    /// <summary>Copies it with all that belongs to it, as a file of one name; returns where its inode is.</summary>
    public static long Put(ImageBuilder image, LowerNode lower)
    {
        var (reader, node) = (lower.Reader, lower.Node);
        var xattrs = XattrBody.Encode(lower.Xattrs(), "a file of a lower layer");
        var inode = node.Inode with { Links = 1 };
        if (inode.Layout == DataLayout.Chunks)
        {
            List<(long, long)> segments = [.. reader.Segments(node)];
            return image.PutSparse(inode, xattrs, new SparseMap(inode.Size, segments), new ImageBytes(reader, node, segments));
        }

        return inode.EntryType is EntryType.File or EntryType.Symlink
            ? image.PutBytes(inode, xattrs, inode.Size, new ImageBytes(reader, node, [(0, inode.Size)]))
            : image.PutEmpty(inode, xattrs);
    }

    private sealed class ImageBytes(ImageReader reader, ImageNode node, IReadOnlyList<(long Offset, long Length)> segments) : IFileBytes
    {
        private const int BufferBytes = 1 << 18;
        private readonly byte[] _buffer = new byte[BufferBytes];
        private int _segment;
        private long _done;

        public ReadOnlySpan<byte> Take(long max)
        {
            while (_done == segments[_segment].Length)
            {
                (_segment, _done) = (_segment + 1, 0);
            }

            var part = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, Math.Min(max, segments[_segment].Length - _done)));
            reader.ReadData(node, segments[_segment].Offset + _done, part);
            _done += part.Length;
            return part;
        }
    }
}
