using System.IO.Hashing;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>An image that grows at its end, in few large writes, and may be changed before that.</summary>
internal sealed class ImageFile : IDisposable
{
    private const int BufferBytes = 1 << 20;

    // Larger pieces are written from where they are: to copy them first costs more than the call.
    private const int DirectBytes = 1 << 16;
    private const string Shown = "a layer's image";

    private static readonly byte[] s_zeros = new byte[ErofsFormat.BlockBytes];
    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
    private readonly XxHash128 _hash = new();
    private long _flushed;
    private int _used;

    private ImageFile(SafeFileHandle file, long end) => (_file, _flushed) = (file, end);

    /// <summary>Where the next bytes go.</summary>
    public long End => _flushed + _used;

    /// <summary>Makes an image that must not be there.</summary>
    /// <exception cref="ImageStoreException">The disk refuses.</exception>
    public static ImageFile Create(string path) => Open(path, FileMode.CreateNew, null);

    /// <summary>Opens an image, which is cut at <paramref name="end"/> and goes on from there.</summary>
    /// <exception cref="ImageStoreException">The disk refuses.</exception>
    public static ImageFile Continue(string path, long end) => Open(path, FileMode.Open, end);

    /// <summary>Tells images apart by all that was written, in its order.</summary>
    public UInt128 Id => _hash.GetCurrentHashAsUInt128();

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        while (bytes.Length > 0)
        {
            if (_used == 0 && bytes.Length >= DirectBytes)
            {
                FileData.Write(_file, bytes, _flushed, Shown);
                _flushed += bytes.Length;
                return;
            }

            var part = Math.Min(bytes.Length, BufferBytes - _used);
            bytes[..part].CopyTo(_buffer.AsSpan(_used));
            _used += part;
            bytes = bytes[part..];
            if (_used == BufferBytes)
            {
                Flush();
            }
        }

        CheckEnd();
    }

    /// <summary>Zeros up to the next whole block.</summary>
    public void Align()
    {
        var zeros = (int)(-End & (ErofsFormat.BlockBytes - 1));
        if (zeros > 0)
        {
            Append(s_zeros.AsSpan(0, zeros));
        }
    }

    /// <summary>Leaves a hole.</summary>
    /// <returns>Where it begins.</returns>
    public long Skip(long bytes)
    {
        Flush();
        var start = _flushed;
        _flushed += bytes;
        CheckEnd();
        return start;
    }

    /// <summary>Writes before the end.</summary>
    public void WriteAt(long offset, ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        if (offset >= _flushed)
        {
            bytes.CopyTo(_buffer.AsSpan((int)(offset - _flushed), bytes.Length));
            return;
        }

        if (offset + bytes.Length > _flushed)
        {
            Flush();
        }

        FileData.Write(_file, bytes, offset, Shown);
    }

    /// <summary>Reads what was written.</summary>
    public void ReadAt(long offset, Span<byte> bytes)
    {
        if (offset >= _flushed)
        {
            _buffer.AsSpan((int)(offset - _flushed), bytes.Length).CopyTo(bytes);
            return;
        }

        if (offset + bytes.Length > _flushed)
        {
            Flush();
        }

        try
        {
            for (var done = 0; done < bytes.Length;)
            {
                var read = RandomAccess.Read(_file, bytes[done..], offset + done);
                done += read > 0 ? read : throw ImageFault.Damaged("it is cut short");
            }
        }
        catch (IOException failure)
        {
            throw IoErrors.From(failure, $"Reading {Shown}");
        }
    }

    /// <summary>Hands all to the kernel, holes at the end too.</summary>
    public void Finish()
    {
        Flush();
        FileData.SetSize(_file, _flushed, Shown);
    }

    public void Dispose() => _file.Dispose();

    private static ImageFile Open(string path, FileMode mode, long? end)
    {
        try
        {
            var file = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            try
            {
                if (end is { } cut)
                {
                    FileData.SetSize(file, cut, Shown);
                }

                return new ImageFile(file, end ?? 0);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Opening {Shown}");
        }
    }

    private void Flush()
    {
        FileData.Write(_file, _buffer.AsSpan(0, _used), _flushed, Shown);
        _flushed += _used;
        _used = 0;
    }

    private void CheckEnd()
    {
        if (End > ErofsFormat.MaxBlocks * ErofsFormat.BlockBytes)
        {
            throw ImageFault.Limit("blocks of a layer's image", ErofsFormat.MaxBlocks);
        }
    }
}
