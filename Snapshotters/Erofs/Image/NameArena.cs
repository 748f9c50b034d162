namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Names one behind the other in large pieces of memory.</summary>
internal sealed class NameArena
{
    /// <summary>Bytes of the names of one layer.</summary>
    private const long MaxBytes = 1L << 28;
    private const int PieceBits = 18;
    private const int PieceBytes = 1 << PieceBits;
    private readonly List<byte[]> _pieces = [];
    private int _used = PieceBytes;

    /// <summary>Keeps a name; where it is.</summary>
    public int Add(ReadOnlySpan<byte> name)
    {
        if (_used + name.Length > PieceBytes)
        {
            if ((long)_pieces.Count << PieceBits >= MaxBytes)
            {
                throw ImageFault.Limit("bytes of all names", MaxBytes);
            }

            _pieces.Add(GC.AllocateUninitializedArray<byte>(PieceBytes));
            _used = 0;
        }

        name.CopyTo(_pieces[^1].AsSpan(_used));
        var at = ((_pieces.Count - 1) << PieceBits) + _used;
        _used += name.Length;
        return at;
    }

    public ReadOnlyMemory<byte> this[int at, int length] => _pieces[at >> PieceBits].AsMemory(at & (PieceBytes - 1), length);
}
