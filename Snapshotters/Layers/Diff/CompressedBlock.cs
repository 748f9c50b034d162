namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A block of a stream, and what it became; used again for the next one.</summary>
internal sealed class CompressedBlock(int bytes)
{
    private readonly byte[] _content = new byte[bytes];
    private byte[] _result = [];
    private int _resultLength;

    public int Length { get; private set; }

    public bool IsFull => Length == _content.Length;

    public ReadOnlySpan<byte> Content => _content.AsSpan(0, Length);

    public ReadOnlySpan<byte> Result => _result.AsSpan(0, _resultLength);

    /// <summary>Takes as much as has room; returns how much that is.</summary>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(bytes.Length, _content.Length - Length);
        bytes[..count].CopyTo(_content.AsSpan(Length));
        Length += count;
        return count;
    }

    /// <summary>Room for a result of at most <paramref name="atMost"/> bytes.</summary>
    public byte[] Room(int atMost) => _result.Length >= atMost ? _result : _result = new byte[atMost];

    /// <summary>How much of the room the result has taken.</summary>
    public void Done(int length) => _resultLength = length;

    public void Clear() => (Length, _resultLength) = (0, 0);
}
