using System.Runtime.InteropServices;

namespace ImageStore.Snapshotters.Layers.Gzip;

/// <summary>Inflates raw deflate data (RFC 1951) with ISA-L, piece by piece.</summary>
/// <remarks>Only the state's first fields are touched, and more room is given than any build of the library uses.</remarks>
internal sealed unsafe class IsalInflater : IDisposable
{
    /// <summary>The most bytes that <see cref="TakeBack"/> gives.</summary>
    public const int MaxTakenBack = sizeof(ulong);

    private const int StateBytes = 256 * 1024;
    private const int BitsPerByte = 8;
    private Head* _state = (Head*)NativeMemory.AllocZeroed(StateBytes);

    public IsalInflater() => Reset();

    ~IsalInflater() => Free();

    /// <summary>Begins a new stream of deflate data.</summary>
    public void Reset() => IsalLibrary.Initialize(_state);

    /// <summary>Inflates until one of both is used up or the data ends, and moves both on.</summary>
    /// <returns>Whether the data ended. That it did just where the input ends is told by the call with the next input.</returns>
    public bool Inflate(ref ReadOnlySpan<byte> input, ref Span<byte> output)
    {
        int result;
        fixed (byte* from = input, to = output)
        {
            _state->NextIn = from;
            _state->AvailableIn = (uint)input.Length;
            _state->NextOut = to;
            _state->AvailableOut = (uint)output.Length;
            result = IsalLibrary.Inflate(_state);
            _state->NextIn = null;
            _state->NextOut = null;
        }

        if (result != 0)
        {
            throw LayerFault.Corrupt("its compressed stream is damaged.");
        }

        input = input[^(int)_state->AvailableIn..];
        output = output[^(int)_state->AvailableOut..];
        return !input.IsEmpty && !output.IsEmpty;
    }

    /// <summary>Gives back the input's last bytes, which were read ahead of the data's end; returns how many.</summary>
    public int TakeBack(Span<byte> bytes)
    {
        var count = _state->BitCount / BitsPerByte;
        var bits = _state->Bits >> (_state->BitCount % BitsPerByte);
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)(bits >> (BitsPerByte * i));
        }

        return count;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_state);
        _state = null;
    }

    /// <summary>How the library's <c>struct inflate_state</c> begins.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Head
    {
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOut;
        public byte* NextIn;
        public ulong Bits;
        public uint AvailableIn;
        public int BitCount;
    }
}
