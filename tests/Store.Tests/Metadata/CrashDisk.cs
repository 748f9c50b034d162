using ImageStore.Store.Metadata;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>A disk in memory that remembers every operation, so that it can be cut off its power after any of them.</summary>
/// <remarks>
/// What follows the last sync of a file survives as a random subset, each write whole, torn at sectors or not at all.
/// A sync that failed says nothing about what it should have made durable, and no later sync does so either.
/// </remarks>
internal sealed class CrashDisk : MetadataDisk
{
    private const int SectorBytes = 512;
    private const int NoSpace = 28;

    private readonly Lock _gate = new();
    private readonly List<Operation> _journal = [];
    private readonly Dictionary<string, CrashFile> _before;
    private readonly Dictionary<string, CrashFile> _names;

    public CrashDisk(IReadOnlyDictionary<string, byte[]> files)
    {
        _before = files.ToDictionary(file => file.Key, file => new CrashFile(this, file.Value));
        _names = new(_before);
    }

    private enum Kind
    {
        Write,
        SetLength,
        Sync,
        FailedSync,
        Create,
        Rename,
        SyncNames,
    }

    public override string Directory => "crash";

    /// <summary>What fails, given the number of the operation: an errno, or 0.</summary>
    public Func<int, int> Fault { get; set; } = _ => 0;

    /// <summary>Whether the next sync of a file fails.</summary>
    public bool FailNextSync { get; set; }

    /// <summary>Whether nothing has room but who is given the reserve.</summary>
    public bool IsFull { get; set; }

    /// <summary>Whether some room is kept for removals.</summary>
    public bool HasReserve { get; private set; }

    /// <summary>What reading fails with, given the number of the read: an errno, or 0.</summary>
    public Func<int, int> ReadFault { get; set; } = _ => 0;

    /// <summary>Reads so far.</summary>
    public int Reads { get; private set; }

    /// <summary>Operations so far, the failed ones too.</summary>
    public int Operations { get; private set; }

    /// <summary>Syncs of files so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>Where a cut after everything so far would be.</summary>
    public int Now
    {
        get
        {
            lock (_gate)
            {
                return _journal.Count;
            }
        }
    }

    /// <summary>The files as a process that is killed leaves them.</summary>
    public Dictionary<string, byte[]> Files()
    {
        lock (_gate)
        {
            return _names.ToDictionary(file => file.Key, file => file.Value.Bytes());
        }
    }

    /// <summary>The files as the disk has them when the power goes after <paramref name="cut"/> operations.</summary>
    public Dictionary<string, byte[]> CutAt(int cut, Random random)
    {
        Dictionary<string, CrashFile> durable = [];
        Dictionary<CrashFile, CrashFile> files = [];
        foreach (var (name, file) in _before)
        {
            durable[name] = files[file] = new CrashFile(this, file.Initial);
        }

        List<Operation> pending = [];
        List<Operation> names = [];
        foreach (var op in _journal.Take(cut))
        {
            switch (op.Kind)
            {
                case Kind.Create:
                    files[op.File!] = new CrashFile(this, []);
                    names.Add(op);
                    break;
                case Kind.Rename:
                    names.Add(op);
                    break;
                case Kind.SyncNames:
                    names.ForEach(name => ApplyName(name, durable, files));
                    names.Clear();
                    break;
                case Kind.Sync or Kind.FailedSync:
                    foreach (var write in pending.Where(write => write.File == op.File))
                    {
                        Apply(write, files, op.Kind == Kind.Sync ? null : random);
                    }

                    pending.RemoveAll(write => write.File == op.File);
                    break;
                default:
                    pending.Add(op);
                    break;
            }
        }

        pending.ForEach(write => Apply(write, files, random));
        names.Where(_ => random.Next(2) == 0).ToList().ForEach(name => ApplyName(name, durable, files));
        return durable.ToDictionary(file => file.Key, file => file.Value.Bytes());
    }

    public override bool Exists(string name)
    {
        lock (_gate)
        {
            return _names.ContainsKey(name);
        }
    }

    public override MetadataFile Open(string name, bool canWrite)
    {
        lock (_gate)
        {
            return new Handle(_names[name]);
        }
    }

    public override MetadataFile Create(string name)
    {
        lock (_gate)
        {
            Check(Kind.Create, null);
            var file = new CrashFile(this, []);
            _names[name] = file;
            _journal.Add(new Operation(Kind.Create, file) { Name = name });
            return new Handle(file);
        }
    }

    public override void Rename(string from, string to)
    {
        lock (_gate)
        {
            Check(Kind.Rename, null);
            _names.Remove(from, out var file);
            _names[to] = file!;
            _journal.Add(new Operation(Kind.Rename, file) { Name = from, To = to });
        }
    }

    public override void SyncNames()
    {
        lock (_gate)
        {
            Check(Kind.SyncNames, null);
            _journal.Add(new Operation(Kind.SyncNames, null));
        }
    }

    public override bool TryWithoutReaders(TimeSpan limit, Action change)
    {
        change();
        return true;
    }

    public override void KeepReserve() => HasReserve |= !IsFull;

    public override bool GiveUpReserve()
    {
        var had = HasReserve;
        HasReserve = false;
        return had;
    }

    public override void Dispose()
    {
    }

    private static void ApplyName(Operation op, Dictionary<string, CrashFile> names, Dictionary<CrashFile, CrashFile> files)
    {
        if (op.Kind == Kind.Rename)
        {
            names.Remove(op.Name!);
        }

        names[op.To ?? op.Name!] = files[op.File!];
    }

    private static void Apply(Operation op, Dictionary<CrashFile, CrashFile> files, Random? random)
    {
        var fate = random?.Next(3) ?? 0;
        if (fate == 1)
        {
            return;
        }

        var file = files[op.File!];
        if (op.Kind == Kind.SetLength)
        {
            file.SetLength(op.Position);
            return;
        }

        var bytes = op.Bytes.AsSpan();
        for (var done = 0; done < bytes.Length;)
        {
            var count = Math.Min(bytes.Length - done, SectorBytes - (int)((op.Position + done) % SectorBytes));
            if (fate == 0 || random!.Next(2) == 0)
            {
                file.Write(bytes.Slice(done, count), op.Position + done);
            }

            done += count;
        }
    }

    private void Check(Kind kind, CrashFile? file)
    {
        var errno = Fault(Operations++);
        errno = IsFull && HasReserve ? NoSpace : errno;
        if (kind == Kind.Sync && FailNextSync)
        {
            (errno, FailNextSync) = (5, false);
        }

        if (errno != 0)
        {
            if (kind == Kind.Sync)
            {
                _journal.Add(new Operation(Kind.FailedSync, file));
            }

            throw new IOException($"injected {errno}", errno);
        }
    }

    private sealed record Operation(Kind Kind, CrashFile? File)
    {
        public long Position { get; init; }

        public byte[] Bytes { get; init; } = [];

        public string? Name { get; init; }

        public string? To { get; init; }
    }

    private sealed class CrashFile(CrashDisk disk, byte[] content)
    {
        private byte[] _bytes = [.. content];
        private int _length = content.Length;

        public CrashDisk Disk => disk;

        public int Length => _length;

        public byte[] Initial => content;

        public byte[] Bytes() => _bytes[.._length];

        public ReadOnlySpan<byte> Read() => _bytes.AsSpan(0, _length);

        public void SetLength(long length)
        {
            if (length > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
            }

            if (length < _length)
            {
                Array.Clear(_bytes, (int)length, _length - (int)length);
            }

            _length = (int)length;
        }

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (position + bytes.Length > _length)
            {
                SetLength(position + bytes.Length);
            }

            bytes.CopyTo(_bytes.AsSpan((int)position));
        }
    }

    private sealed class Handle(CrashFile file) : MetadataFile
    {
        public override long Length
        {
            get
            {
                lock (file.Disk._gate)
                {
                    return file.Length;
                }
            }
        }

        public override int Read(Span<byte> buffer, long position)
        {
            lock (file.Disk._gate)
            {
                if (file.Disk.ReadFault(file.Disk.Reads++) is not 0 and var errno)
                {
                    throw new IOException($"injected {errno}", errno);
                }

                var count = (int)Math.Clamp(file.Length - position, 0, buffer.Length);
                if (count > 0)
                {
                    file.Read().Slice((int)position, count).CopyTo(buffer);
                }

                return count;
            }
        }

        public override void Write(ReadOnlySpan<byte> buffer, long position)
        {
            lock (file.Disk._gate)
            {
                try
                {
                    file.Disk.Check(Kind.Write, file);
                }
                catch (IOException)
                {
                    // A full disk takes what fits, in whole blocks.
                    Do(buffer[..(buffer.Length / 2 / SectorBytes * SectorBytes)], position);
                    throw;
                }

                Do(buffer, position);
            }
        }

        public override void SetLength(long length)
        {
            lock (file.Disk._gate)
            {
                file.Disk.Check(Kind.SetLength, file);
                file.SetLength(length);
                file.Disk._journal.Add(new Operation(Kind.SetLength, file) { Position = length });
            }
        }

        public override bool TryAllocate(long length) => true;

        public override void Sync()
        {
            lock (file.Disk._gate)
            {
                file.Disk.Check(Kind.Sync, file);
                file.Disk.Syncs++;
                file.Disk._journal.Add(new Operation(Kind.Sync, file));
            }
        }

        public override void Dispose()
        {
        }

        private void Do(ReadOnlySpan<byte> buffer, long position)
        {
            file.Write(buffer, position);
            file.Disk._journal.Add(new Operation(Kind.Write, file) { Position = position, Bytes = buffer.ToArray() });
        }
    }
}
