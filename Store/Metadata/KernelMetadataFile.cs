using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <inheritdoc/>
internal sealed class KernelMetadataFile(SafeFileHandle file) : MetadataFile
{
    public override long Length => RandomAccess.GetLength(file);

    public override int Read(Span<byte> buffer, long position)
    {
        var done = 0;
        while (done < buffer.Length)
        {
            var count = RandomAccess.Read(file, buffer[done..], position + done);
            if (count == 0)
            {
                break;
            }

            done += count;
        }

        return done;
    }

    public override void Write(ReadOnlySpan<byte> buffer, long position) => RandomAccess.Write(file, buffer, position);

    public override void SetLength(long length) => RandomAccess.SetLength(file, length);

    public override bool TryAllocate(long length) => KernelFile.TryAllocate(file, length) is not false;

    public override void Sync() => KernelFile.Sync(file);

    public override void Dispose() => file.Dispose();
}
