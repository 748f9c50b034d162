using ImageStore.Store.Interop;

namespace ImageStore.Store.Metadata;

/// <summary>Room that is kept on the disk for removing: files go only after a commit, which needs some room itself.</summary>
/// <remarks>The file has blocks and no length, so that copies of the folder do not carry it.</remarks>
internal sealed class DiskReserve(string directory)
{
    /// <summary>The file's name.</summary>
    public const string Name = "reserve";

    /// <summary>Enough for a collection of some ten thousand rows.</summary>
    public const long Bytes = 4 << 20;

    private readonly string _path = Path.Combine(directory, Name);
    private bool _isKept;
    private bool _isImpossible;

    /// <summary>Takes the room, unless it is taken or the disk has too little.</summary>
    public void Keep()
    {
        if (_isKept || _isImpossible)
        {
            return;
        }

        try
        {
            using (var file = KernelFile.OpenLockFile(_path))
            {
                (_isKept, _isImpossible) = KernelFile.AllocatedBytes(file) >= Bytes ? (true, false)
                    : KernelFile.TryAllocate(file, Bytes) switch
                    {
                        true => (true, false),
                        false => (false, false),
                        null => (false, true),
                    };
            }

            if (!_isKept)
            {
                // What a disk gave before it was full is others' too.
                File.Delete(_path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Errors.ImageStoreException)
        {
            // It is for a bad day; today's work goes on without.
            _isImpossible = true;
        }
    }

    /// <summary>Frees the room; false when none was kept.</summary>
    public bool GiveUp()
    {
        if (!_isKept)
        {
            return false;
        }

        _isKept = false;
        try
        {
            File.Delete(_path);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The full disk is the failure to tell.
            return false;
        }
    }
}
